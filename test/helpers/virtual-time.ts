import type { Clock } from '../../src/lib/clock.ts'

/** A replica that can stand still, or end: what it waits for comes later, or never. */
export interface Replica {
  readonly clock: Clock
  /** Stands still for so long, in ms: what was due meanwhile is done afterwards. */
  pause(ms: number): void
  /** Ends: nothing of it goes on. */
  kill(): void
}

export interface VirtualTime {
  readonly clock: Clock
  replica(): Replica
  /** Lets everything happen until nobody waits any more, or `untilMs` has come. */
  run(untilMs: number): Promise<void>
}

interface Sleeper {
  readonly due: number
  readonly order: number
  wake(): void
}

/** So many turns of the event loop let everything happen that waits for no time. */
const turns = 3

/** Time that goes on only when nothing else can happen: the same schedule gives the same run. */
export function virtualTime(): VirtualTime {
  let now = 1_000_000
  let order = 0
  const sleepers = new Set<Sleeper>()
  const never = new AbortController().signal

  function sleepUntil(due: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise(resolve => {
      order += 1
      function stop(): void {
        sleepers.delete(sleeper)
        resolve()
      }
      // A signal may outlive many sleeps.
      function wake(): void {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      const sleeper: Sleeper = { due, order, wake }
      sleepers.add(sleeper)
      signal.addEventListener('abort', stop)
    })
  }
  const wall = { now: () => now + 1_760_000_000_000, monotonic: () => now }

  function replica(): Replica {
    let stillUntil = 0
    let dead = false
    async function sleep(ms: number, signal: AbortSignal): Promise<void> {
      await sleepUntil(now + Math.max(0, ms), signal)
      // It may be told to stand still again meanwhile.
      for (;;) {
        const until = stillUntil
        if (now >= until) break
        await sleepUntil(until, never)
      }
      if (dead) await new Promise(() => undefined)
    }
    return {
      clock: { ...wall, sleep },
      pause(ms) {
        stillUntil = Math.max(stillUntil, now + ms)
      },
      kill() {
        dead = true
      },
    }
  }

  return {
    clock: { ...wall, sleep: (ms, signal) => sleepUntil(now + Math.max(0, ms), signal) },
    replica,
    async run(untilMs) {
      const end = now + untilMs
      for (;;) {
        for (let turn = 0; turn < turns; turn += 1) {
          await new Promise(resolve => {
            setImmediate(resolve)
          })
        }
        let next: Sleeper | undefined
        for (const one of sleepers) {
          if (!next || one.due < next.due || (one.due === next.due && one.order < next.order)) {
            next = one
          }
        }
        if (!next || next.due > end) return
        sleepers.delete(next)
        now = Math.max(now, next.due)
        next.wake()
      }
    },
  }
}

import type { Clock } from '../../src/lib/clock.ts'

export interface LeapingClock extends Clock {
  /** Every wait asked for, in ms. */
  readonly sleeps: readonly number[]
  /** Moves the time without anybody waiting. */
  advance(ms: number): void
  /** Sets the wall clock so much forth, or back: nothing else goes on. */
  setWall(byMs: number): void
}

/** Monday, 5 January 2026, 09:00 UTC. */
export const monday = Date.UTC(2026, 0, 5, 9)

/**
 * Real milliseconds left to work in flight before the time leaps: a loopback exchange takes less.
 */
const graceMs = 3

/**
 * A clock on which waiting takes no time: as soon as the process has had a moment to do what is in
 * flight, the time leaps to the next moment that somebody waits for.
 */
export function leapingClock(start = monday): LeapingClock {
  // Monotonic, from an arbitrary moment; the wall clock is so much off it.
  let now = 1_000_000
  let wallOffset = start - now
  let leaping: NodeJS.Timeout | undefined
  const sleeps: number[] = []
  const sleepers: { due: number; wake: () => void }[] = []

  function leap(): void {
    leaping = undefined
    const next = sleepers.toSorted((a, b) => a.due - b.due)[0]
    if (!next) return
    sleepers.splice(sleepers.indexOf(next), 1)
    now = Math.max(now, next.due)
    next.wake()
    schedule()
  }
  function schedule(): void {
    leaping ??= setTimeout(leap, graceMs)
  }

  return {
    sleeps,
    now: () => wallOffset + now,
    monotonic: () => now,
    setWall(byMs) {
      wallOffset += byMs
    },
    advance(ms) {
      now += ms
    },
    sleep(ms, signal) {
      sleeps.push(ms)
      return new Promise(resolve => {
        const sleeper = { due: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal.addEventListener('abort', () => {
          const at = sleepers.indexOf(sleeper)
          if (at >= 0) sleepers.splice(at, 1)
          resolve()
        })
        schedule()
      })
    },
  }
}

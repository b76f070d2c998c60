import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'

/**
 * Those who wait for a run. Their deadlines are looked at by its driver, between two calls to
 * Graph, so that nobody hears of a run as it was before a call that is under way.
 */
export interface Waiters {
  /** Resolves at the deadline, when `signal` aborts or when the run is driven no more. */
  wait(until: number, signal: AbortSignal): Promise<void>
  /** The driver's own pause, in ms; ends at once when the service stops. */
  pause(ms: number): Promise<void>
  /** Answers whoever has waited long enough. */
  check(): void
  /** Answers everybody. */
  end(): void
}

/** How long after its deadline a call under way is waited for, in ms. */
const graceMs = 1500

export function createWaiters(clock: Clock, stopping: AbortSignal): Waiters {
  const waiting = new Map<() => void, number>()
  let added = new AbortController()
  let ended = false
  const stop = () => added.abort()
  stopping.addEventListener('abort', stop)

  function check(): void {
    for (const [resolve, until] of waiting) if (ended || clock.monotonic() >= until) resolve()
  }

  return {
    check,

    async wait(until, signal) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (ended || signal.aborted) return
      waiting.set(resolve, until)
      signal.addEventListener('abort', () => resolve(), { once: true })
      added.abort()
      await within(until + graceMs - clock.monotonic(), promise).catch(() => undefined)
      waiting.delete(resolve)
    },

    async pause(ms) {
      const end = clock.monotonic() + ms
      while (!stopping.aborted && clock.monotonic() < end) {
        added = new AbortController()
        check()
        const next = Math.min(end, ...waiting.values())
        await clock.sleep(Math.max(0, next - clock.monotonic()), added.signal)
      }
      check()
    },

    end() {
      ended = true
      stopping.removeEventListener('abort', stop)
      check()
    },
  }
}

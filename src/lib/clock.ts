import { setTimeout as wait } from 'node:timers/promises'

/**
 * The time, as a parameter: rules ask this clock, so that a test can set it. It has two faces: the
 * wall clock may be set back or forth at any moment, the monotonic one only goes on.
 */
export interface Clock {
  /** Wall clock, in ms since 1970, UTC: for dates that are shown, and the times in tokens. */
  now(): number
  /** Monotonic clock, in ms since an arbitrary moment: for every duration and deadline. */
  monotonic(): number
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await wait(ms, undefined, { signal }).catch(() => undefined)
  },
}

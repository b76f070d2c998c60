import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'
import type { Limiter } from './limiter.ts'
import type { MemoryLimiter } from './memory.ts'

export interface FallbackLimiterOptions {
  /** What replicas share; may fail. */
  readonly shared: Limiter
  /** What this replica knows by itself. */
  readonly local: MemoryLimiter
  readonly clock: Clock
  /** Hears when the store is lost, with the reason, and when it is back. */
  onChange(available: boolean, reason?: unknown): void
}

/**
 * Nobody waits longer for a store that hangs: 100 ms is the limit, and the rest of a call takes its
 * time too.
 */
const answerMs = 80

/**
 * After a failure the store is left alone for so long: whoever calls meanwhile does not wait for
 * it.
 */
const retryAfterMs = 1000

/**
 * Limits by the shared store, and by this replica alone while the store is away: never unlimited.
 * The limiter in memory counts all the while, so that a replica admits no more than the quota
 * across the change either.
 */
export function fallbackLimiter({
  shared,
  local,
  clock,
  onChange,
}: FallbackLimiterOptions): Limiter {
  let available = true
  let retryAt = Number.NEGATIVE_INFINITY

  function set(now: boolean, reason?: unknown): void {
    if (now !== available) onChange(now, reason)
    available = now
  }

  return {
    async take(key) {
      if (clock.monotonic() < retryAt) return local.take(key)
      try {
        const allowance = await within(answerMs, shared.take(key))
        set(true)
        if (allowance.admitted) local.note(key)
        return allowance
      } catch (error) {
        retryAt = clock.monotonic() + retryAfterMs
        set(false, error)
        return local.take(key)
      }
    },
    async close() {
      await Promise.all([shared.close(), local.close()])
    },
  }
}

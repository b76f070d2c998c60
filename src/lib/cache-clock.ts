import type { Clock } from './clock.ts'

/**
 * The monotonic clock as lru-cache asks for it. That library takes a start at 0 for none, and would
 * never let such an entry expire: so its time begins at 1.
 */
export const cacheClock = (clock: Clock): { now(): number } => ({
  now: () => clock.monotonic() + 1,
})

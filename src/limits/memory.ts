import type { Clock } from '../lib/clock.ts'
import type { Allowance, Limiter, Quota } from './limiter.ts'

/** Times of the newest admitted calls, as a ring: `next` is the oldest once the ring is full. */
interface Calls {
  readonly times: number[]
  next: number
}

export interface MemoryLimiter extends Limiter {
  /** Counts a call that somebody else admitted. */
  note(connectionKey: string): void
  /** Connections remembered. */
  readonly size: number
}

/**
 * The limiter of one process. A connection weighs what it used of its allowance, and is forgotten
 * once it was idle for one window, or two.
 */
export function memoryLimiter({ calls, windowMs }: Quota, clock: Clock): MemoryLimiter {
  // Connections counted since the last turn, and those that were not yet. At each turn, once a
  // window, those that were idle for a whole window are let go all at once: taking single entries
  // out of a large map is what would cost.
  let recent = new Map<string, Calls>()
  let older = new Map<string, Calls>()
  let turnedAt = clock.monotonic()

  /** The index-th oldest of the times kept. */
  const timeAt = ({ times, next }: Calls, index: number): number =>
    times[(next + index) % times.length] as number

  function forgetIdle(now: number): void {
    if (now - turnedAt < windowMs) return
    older = now - turnedAt < 2 * windowMs ? recent : new Map()
    recent = new Map()
    turnedAt = now
  }

  /**
   * How many of the times kept have left the window: they are in order, so a binary search finds
   * the first that has not.
   */
  function expired(known: Calls, now: number): number {
    let [low, high] = [0, known.times.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (now - timeAt(known, middle) >= windowMs) low = middle + 1
      else high = middle
    }
    return low
  }

  function count(key: string, known: Calls, now: number): void {
    if (known.times.length < calls) {
      known.times.push(now)
      known.next = 0
    } else {
      known.times[known.next] = now
      known.next = (known.next + 1) % calls
    }
    older.delete(key)
    recent.set(key, known)
  }

  const callsOf = (key: string): Calls =>
    recent.get(key) ?? older.get(key) ?? { times: [], next: 0 }

  function take(key: string): Allowance {
    const now = clock.monotonic()
    forgetIdle(now)
    const known = callsOf(key)
    const left = calls - (known.times.length - expired(known, now))
    if (left > 0) count(key, known, now)
    const oldest = timeAt(known, expired(known, now))
    return {
      admitted: left > 0,
      remaining: Math.max(0, left - 1),
      resetMs: oldest + windowMs - now,
    }
  }

  return {
    take: async key => take(key),
    note(key) {
      const now = clock.monotonic()
      forgetIdle(now)
      count(key, callsOf(key), now)
    },
    async close() {
      recent.clear()
      older.clear()
    },
    get size() {
      return recent.size + older.size
    },
  }
}

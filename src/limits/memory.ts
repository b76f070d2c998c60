import type { Clock } from '../lib/clock.ts'
import { addCall, callRing, liveCalls, liveTime, removeCall, type CallRing } from './call-ring.ts'
import type { Allowance, Limiter, Quota } from './limiter.ts'

export interface MemoryLimiter extends Limiter {
  /** Counts a call that somebody else admitted. */
  note(connectionKey: string): Allowance
  /** As peek(), in a window that is `graceMs` shorter. */
  peekWithin(connectionKey: string, graceMs: number): Allowance
  /** Connections remembered. */
  readonly size: number
  /** What they take, in bytes, estimated. */
  readonly bytes: number
}

/** A connection takes about so many bytes, and each of its calls so many: measured, rounded up. */
const connectionBytes = 450
const callBytes = 12

/** A connection's own calls. */
interface Own extends CallRing {
  /** Until then calls of it may be in the ring that it shares. */
  sharedUntil: number
}

/** All connections together take no more than this: an attacker may have many. */
const maxBytes = 32 * 1024 * 1024

/** Rings that connections share for which there is no memory left, and what these may take. */
const maxCrowds = 64
const maxCrowdBytes = 4 * 1024 * 1024

/**
 * The limiter of one process. A connection weighs what it used of its allowance, and is forgotten
 * once it was idle for one window, or two.
 *
 * When the memory is used up, a call that needs more of it is counted in a ring that several
 * connections share, and what is in there counts for each of those that use it: none gets more than
 * its allowance, some may get less.
 */
export function memoryLimiter(
  { calls, windowMs }: Quota,
  clock: Clock,
  limitBytes = maxBytes,
): MemoryLimiter {
  // Connections counted since the last turn, and those that were not yet. At each turn, once a
  // window, those that were idle for a whole window are let go all at once: taking single entries
  // out of a large map is what would cost.
  let recent = new Map<string, Own>()
  let older = new Map<string, Own>()
  let [recentBytes, olderBytes] = [0, 0]
  let turnedAt = clock.monotonic()
  const crowds: CallRing[] = []
  const crowdCount = Math.min(maxCrowds, Math.ceil(maxCrowdBytes / (calls * callBytes)))

  function forgetIdle(now: number): void {
    if (now - turnedAt < windowMs) return
    const recentlyTurned = now - turnedAt < 2 * windowMs
    older = recentlyTurned ? recent : new Map()
    olderBytes = recentlyTurned ? recentBytes : 0
    recent = new Map()
    recentBytes = 0
    turnedAt = now
  }

  const ownOf = (key: string): Own | undefined => recent.get(key) ?? older.get(key)
  const bytesOf = (own: Own): number => connectionBytes + own.times.length * callBytes

  /** The index of the ring that a connection shares when there is no memory left. */
  function crowdIndex(key: string): number {
    let hash = 0
    for (let at = 0; at < key.length; at += 1) hash = (hash * 31 + key.charCodeAt(at)) >>> 0
    return hash % crowdCount
  }

  /** The shared ring, if calls of this connection may be in it. */
  function crowdOf(key: string, own: Own | undefined, now: number): CallRing | undefined {
    if (crowds.length === 0 || (own && own.sharedUntil <= now)) return undefined
    return crowds[crowdIndex(key)]
  }

  /** Counts a call in the connection's own ring, or the one it shares. */
  function count(key: string, now: number): void {
    // Of more calls than the allowance has, which only others admit, the youngest are kept.
    const liveIn = (ring: CallRing) => Math.min(liveCalls(ring, now, windowMs), calls - 1)
    const known = ownOf(key)
    const live = known ? liveIn(known) : 0
    const more = known ? 0 : connectionBytes
    const grows = known?.times.length === live || !known ? callBytes : 0
    if (more + grows > 0 && recentBytes + olderBytes + more + grows > limitBytes) {
      const crowd = (crowds[crowdIndex(key)] ??= callRing())
      addCall(crowd, now, liveIn(crowd))
      if (known) known.sharedUntil = now + windowMs
      return
    }
    const crowded = !known && crowdOf(key, known, now) !== undefined
    const own = known ?? { ...callRing(), sharedUntil: crowded ? now + windowMs : 0 }
    if (older.delete(key)) olderBytes -= bytesOf(own)
    else if (known) recentBytes -= bytesOf(own)
    addCall(own, now, live)
    recent.set(key, own)
    recentBytes += bytesOf(own)
  }

  /** What is left at `now`, in a window of `ms`. */
  function look(key: string, now: number, ms: number): Allowance {
    const own = ownOf(key)
    let used = 0
    let resetMs = 0
    for (const ring of [own, crowdOf(key, own, now)]) {
      const live = ring ? liveCalls(ring, now, ms) : 0
      if (!ring || live === 0) continue
      used += live
      resetMs = Math.max(resetMs, liveTime(ring, live, Math.max(0, live - calls)) + ms - now)
    }
    const left = Math.max(0, calls - used)
    return { admitted: left > 0, remaining: left, resetMs }
  }

  function take(key: string): Allowance {
    const now = clock.monotonic()
    forgetIdle(now)
    const before = look(key, now, windowMs)
    if (!before.admitted) return before
    count(key, now)
    return {
      admitted: true,
      remaining: before.remaining - 1,
      resetMs: before.resetMs || windowMs,
      receipt: now,
    }
  }

  return {
    take: async key => take(key),
    peek: async key => look(key, clock.monotonic(), windowMs),
    peekWithin: (key, graceMs) => look(key, clock.monotonic(), windowMs - graceMs),
    note(key) {
      const now = clock.monotonic()
      forgetIdle(now)
      count(key, now)
      return { ...look(key, now, windowMs), receipt: now }
    },
    async refund(key, { receipt }) {
      if (typeof receipt !== 'number') return
      const own = ownOf(key)
      if (!own || !removeCall(own, receipt)) {
        const crowd = crowdOf(key, own, clock.monotonic())
        if (crowd) removeCall(crowd, receipt)
      } else if (recent.has(key)) recentBytes -= callBytes
      else olderBytes -= callBytes
    },
    async close() {
      recent.clear()
      older.clear()
      recentBytes = 0
      olderBytes = 0
      crowds.length = 0
    },
    get size() {
      return recent.size + older.size
    },
    get bytes() {
      return recentBytes + olderBytes
    },
  }
}

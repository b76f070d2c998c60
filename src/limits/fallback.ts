import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'
import type { Allowance, Limiter } from './limiter.ts'
import type { MemoryLimiter } from './memory.ts'

export interface FallbackLimiterOptions {
  /** What replicas share; may fail. */
  readonly shared: Limiter
  /** What this replica knows by itself. */
  readonly local: MemoryLimiter
  /** The window of both, in ms. */
  readonly windowMs: number
  readonly clock: Clock
  /** Hears when the store is lost, with the reason, and when it is back. */
  onChange(available: boolean, reason?: unknown): void
}

export interface FallbackLimiter extends Limiter {
  /** Somebody else found out that the store is away, or how fast it answers. */
  storeAnswered(took: boolean, ms: number): void
}

/** What a receipt of this limiter is made of. */
interface Receipts {
  readonly shared?: Allowance
  readonly local: Allowance
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
 * By how much the two windows may differ: an answer takes its time, and two clocks of a good
 * machine part by less than 0.05 %.
 */
const graceMs = (windowMs: number): number => 2 * answerMs + windowMs / 200

/**
 * Limits by the shared store, and by this replica alone while the store is away: never unlimited.
 * The limiter in memory counts all the while, so that a replica admits no more than the quota
 * across the change either.
 *
 * It also holds against a store whose clock is set forth: what ages early there, or is forgotten,
 * is still known here, by a clock that nobody can set. So one replica admits no call too many, and
 * all together at most what they would without a store.
 */
export function fallbackLimiter({
  shared,
  local,
  windowMs,
  clock,
  onChange,
}: FallbackLimiterOptions): FallbackLimiter {
  let available = true
  let retryAt = Number.NEGATIVE_INFINITY
  const grace = graceMs(windowMs)

  function set(now: boolean, reason?: unknown): void {
    retryAt = now ? Number.NEGATIVE_INFINITY : clock.monotonic() + retryAfterMs
    if (now !== available) onChange(now, reason)
    available = now
  }

  /** The store's answer; undefined while it is away. */
  async function ask(question: () => Promise<Allowance>): Promise<Allowance | undefined> {
    if (clock.monotonic() < retryAt) return undefined
    try {
      const allowance = await within(answerMs, question())
      set(true)
      return allowance
    } catch (error) {
      set(false, error)
      return undefined
    }
  }

  async function takeLocal(key: string): Promise<Allowance> {
    const allowance = await local.take(key)
    return { ...allowance, receipt: { local: allowance } satisfies Receipts }
  }

  return {
    async take(key) {
      const allowance = await ask(() => shared.take(key))
      if (!allowance) return takeLocal(key)
      if (!allowance.admitted) return allowance
      const known = local.peekWithin(key, grace)
      if (!known.admitted) {
        shared.refund(key, allowance).catch(() => undefined)
        return { ...known, resetMs: known.resetMs + grace }
      }
      const receipt: Receipts = { shared: allowance, local: local.note(key) }
      return { ...allowance, receipt }
    },
    peek: async key => (await ask(() => shared.peek(key))) ?? local.peek(key),
    async refund(key, { receipt }) {
      if (receipt === undefined) return
      const { shared: fromStore, local: fromHere } = receipt as Receipts
      await local.refund(key, fromHere)
      // One that does not arrive is a call less until the window is over.
      if (fromStore) await shared.refund(key, fromStore).catch(() => undefined)
    },
    storeAnswered(took, ms) {
      if (!took) set(false, new Error('the store takes no writes'))
      else if (ms < answerMs) set(true)
    },
    async close() {
      await Promise.all([shared.close(), local.close()])
    },
  }
}

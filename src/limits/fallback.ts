import type { Allowance, Limiter } from './limiter.ts'
import type { MemoryLimiter } from './memory.ts'
import { answerMs, type StoreState } from './store-state.ts'

export interface FallbackLimiterOptions {
  /** What replicas share; may fail. */
  readonly shared: Limiter
  /** What this replica knows by itself. */
  readonly local: MemoryLimiter
  /** The window of both, in ms. */
  readonly windowMs: number
  readonly store: StoreState
}

/** What a receipt of this limiter is made of. */
interface Receipts {
  readonly shared?: Allowance
  readonly local: Allowance
}

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
  store,
}: FallbackLimiterOptions): Limiter {
  const grace = graceMs(windowMs)

  async function takeLocal(key: string): Promise<Allowance> {
    const allowance = await local.take(key)
    return { ...allowance, receipt: { local: allowance } satisfies Receipts }
  }

  return {
    async take(key) {
      const allowance = await store.ask(() => shared.take(key))
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
    peek: async key => (await store.ask(() => shared.peek(key))) ?? local.peek(key),
    async refund(key, { receipt }) {
      if (receipt === undefined) return
      const { shared: fromStore, local: fromHere } = receipt as Receipts
      await local.refund(key, fromHere)
      // One that does not arrive is a call less until the window is over.
      if (fromStore) await shared.refund(key, fromStore).catch(() => undefined)
    },
    async close() {
      await Promise.all([shared.close(), local.close()])
    },
  }
}

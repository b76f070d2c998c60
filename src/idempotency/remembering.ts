import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import {
  maxKeys,
  rememberedMs,
  type Claimant,
  type CompleteIds,
  type IdempotencyStore,
  type Progress,
} from './store.ts'

/** What this replica knows of a key by itself: who is at it, and what it has done so far. */
interface Known {
  readonly claimant: Claimant
  readonly progress: Progress
}

/** So many records are sent at once when all are recorded anew. */
const restoredAtOnce = 100

export interface RememberingIdempotency extends IdempotencyStore {
  /**
   * Records anew whatever this replica remembers: the store came back without its memory. Never
   * throws: what fails now is recorded when its key comes again.
   */
  restore(): Promise<void>
}

/** The ids of what was done to its end. */
function completeIds({ sessionId, promptId, evaluationId }: Progress): CompleteIds | undefined {
  if (sessionId === undefined || promptId === undefined || evaluationId === undefined) {
    return undefined
  }
  return { sessionId, promptId, evaluationId }
}

const nameOf = ({ connectionKey, key }: Claimant): string => `${connectionKey} ${key}`

/**
 * A shared store that may lose what it was told: this replica remembers the keys that it is at, and
 * those it has done, the newest 10,000. A key that the store has lost is recorded again whole: by
 * restore(), or when it comes again.
 */
export function rememberingIdempotency(
  store: IdempotencyStore,
  clock: Clock,
): RememberingIdempotency {
  const known = new LRUCache<string, Known>({
    max: maxKeys,
    ttl: rememberedMs,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
  })
  const remember = (claimant: Claimant, progress: Progress = { sending: false }): void => {
    known.set(nameOf(claimant), { claimant, progress })
  }

  return {
    holdMs: store.holdMs,

    async claim(claimant) {
      const before = known.get(nameOf(claimant))
      const claim = await store.claim(claimant)
      if (claim.kind !== 'mine') return claim
      if (
        before?.claimant.bodyHash === claimant.bodyHash &&
        before.claimant.holder !== claimant.holder
      ) {
        const ids = completeIds(before.progress)
        if (ids) {
          await store.record(claimant, { ...ids, sending: true })
          return { kind: 'done', ids }
        }
        // The other, of this replica, gets its entry back when it records next.
        await store.release(claimant, claim.progress)
        return { kind: 'held', ids: claim.progress }
      }
      remember(claimant, claim.progress)
      return claim
    },

    async record(claimant, progress) {
      remember(claimant, progress)
      const recorded = await store.record(claimant, progress)
      if (recorded === 'lost' && completeIds(progress) === undefined) known.delete(nameOf(claimant))
      return recorded
    },

    async release(claimant, progress) {
      if (known.get(nameOf(claimant))?.claimant.holder === claimant.holder)
        known.delete(nameOf(claimant))
      await store.release(claimant, progress)
    },

    async reopen(claimant, evaluationId) {
      const claim = await store.reopen(claimant, evaluationId)
      if (claim.kind === 'mine') remember(claimant, claim.progress)
      return claim
    },

    async restore() {
      const all = [...known.values()]
      for (let at = 0; at < all.length; at += restoredAtOnce) {
        const some = all.slice(at, at + restoredAtOnce)
        await Promise.allSettled(
          some.map(({ claimant, progress }) => store.record(claimant, progress)),
        )
      }
    },
  }
}

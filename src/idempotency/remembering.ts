import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import {
  maxKeys,
  rememberedMs,
  type Claimant,
  type CompleteIds,
  type IdempotencyStore,
} from './store.ts'

/** What this replica knows of a key by itself: who is at it, or what it has done. */
interface Known {
  readonly bodyHash: string
  readonly holder: string
  readonly ids: CompleteIds | undefined
}

const nameOf = ({ connectionKey, key }: Claimant): string => `${connectionKey} ${key}`

/**
 * A shared store that may lose what it was told: this replica remembers the keys that it is at, and
 * those it has done, the newest 10,000. A key that the store has lost is recorded again whole when
 * it comes again.
 */
export function rememberingIdempotency(store: IdempotencyStore, clock: Clock): IdempotencyStore {
  const known = new LRUCache<string, Known>({
    max: maxKeys,
    ttl: rememberedMs,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
  })
  const remember = (claimant: Claimant, ids?: CompleteIds): void => {
    const { bodyHash, holder } = claimant
    known.set(nameOf(claimant), { bodyHash, holder, ids })
  }

  return {
    holdMs: store.holdMs,

    async claim(claimant) {
      const before = known.get(nameOf(claimant))
      const claim = await store.claim(claimant)
      if (claim.kind !== 'mine') return claim
      const { bodyHash, holder, ids } = before ?? {}
      if (bodyHash === claimant.bodyHash && holder !== claimant.holder) {
        if (ids) {
          await store.record(claimant, { ...ids, sending: true })
          return { kind: 'done', ids }
        }
        // The other, of this replica, gets its entry back when it records next.
        await store.release(claimant, claim.progress)
        return { kind: 'held', ids: claim.progress }
      }
      remember(claimant)
      return claim
    },

    async record(claimant, progress) {
      const recorded = store.record(claimant, progress)
      const { sessionId, promptId, evaluationId } = progress
      if (sessionId !== undefined && promptId !== undefined && evaluationId !== undefined) {
        remember(claimant, { sessionId, promptId, evaluationId })
      }
      return recorded
    },

    async release(claimant, progress) {
      if (known.get(nameOf(claimant))?.holder === claimant.holder) known.delete(nameOf(claimant))
      await store.release(claimant, progress)
    },

    async reopen(claimant, evaluationId) {
      const claim = await store.reopen(claimant, evaluationId)
      if (claim.kind === 'mine') remember(claimant)
      return claim
    },
  }
}

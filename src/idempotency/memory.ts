import type { Clock } from '../lib/clock.ts'
import {
  heldMs,
  rememberedMs,
  type CompleteIds,
  type IdempotencyStore,
  type RecordedIds,
} from './store.ts'

interface Entry {
  readonly bodyHash: string
  readonly expiresAt: number
  ids: RecordedIds
  holder: string | undefined
  heldUntil: number
}

/** The store of one process: it does not outlive it. */
export function memoryIdempotency(clock: Clock): IdempotencyStore {
  // In the order of their expiry, since all live equally long.
  const entries = new Map<string, Entry>()

  function forgetExpired(now: number): void {
    for (const [key, { expiresAt }] of entries) {
      if (expiresAt > now) return
      entries.delete(key)
    }
  }

  return {
    async claim({ key, bodyHash, holder }) {
      const now = clock.monotonic()
      forgetExpired(now)
      const entry = entries.get(key) ?? {
        bodyHash,
        expiresAt: now + rememberedMs,
        ids: {},
        holder,
        heldUntil: 0,
      }
      if (entry.bodyHash !== bodyHash) return { kind: 'reused' }
      const { ids } = entry
      if (ids.evaluationId !== undefined) return { kind: 'done', ids: ids as CompleteIds }
      if (entry.holder !== holder && entry.heldUntil > now) return { kind: 'held' }
      entries.set(key, Object.assign(entry, { holder, heldUntil: now + heldMs }))
      return { kind: 'mine', ids }
    },

    async record({ key, holder }, ids) {
      const entry = entries.get(key)
      if (entry?.holder !== holder) return false
      Object.assign(entry, { ids: { ...entry.ids, ...ids }, heldUntil: clock.monotonic() + heldMs })
      return true
    },

    async release({ key, holder }) {
      const entry = entries.get(key)
      if (entry?.holder !== holder) return
      if (entry.ids.sessionId === undefined) entries.delete(key)
      else Object.assign(entry, { holder: undefined, heldUntil: 0 })
    },
  }
}

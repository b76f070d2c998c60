import type { Clock } from '../lib/clock.ts'
import {
  maxKeys,
  rememberedMs,
  type Claim,
  type Claimant,
  type CompleteIds,
  type IdempotencyStore,
  type Progress,
} from './store.ts'

interface Entry {
  readonly bodyHash: string
  readonly expiresAt: number
  progress: Progress
  holder: string | undefined
}

/** Entries of all connections, some 400 bytes each: about 40 MB. */
const maxEntries = 100_000

const nothing: Progress = { sending: false }

/**
 * The store of one process: it does not outlive it. A claim has no end, since its holder cannot die
 * without the store.
 */
export function memoryIdempotency(clock: Clock): IdempotencyStore {
  // Each connection's entries in the order of their expiry, since all live equally long.
  const connections = new Map<string, Map<string, Entry>>()
  let size = 0

  function remove(connectionKey: string, key: string): void {
    const entries = connections.get(connectionKey)
    if (entries?.delete(key)) size -= 1
    if (entries?.size === 0) connections.delete(connectionKey)
  }

  function forgetExpired(now: number): void {
    for (const [connectionKey, entries] of connections) {
      for (const [key, { expiresAt }] of entries) {
        if (expiresAt > now) break
        remove(connectionKey, key)
      }
    }
  }

  const entryOf = ({ connectionKey, key }: Claimant): Entry | undefined =>
    connections.get(connectionKey)?.get(key)

  function add({ connectionKey, key, bodyHash, holder }: Claimant, progress: Progress): void {
    const entries = connections.get(connectionKey) ?? new Map<string, Entry>()
    connections.set(connectionKey, entries)
    const expiresAt = clock.monotonic() + rememberedMs
    entries.set(key, { bodyHash, expiresAt, progress, holder })
    size += 1
  }

  /** A refusal when no further key fits. */
  function full({ connectionKey }: Claimant): Claim | undefined {
    const entries = connections.get(connectionKey)
    const mine = entries?.size ?? 0
    if (mine < maxKeys && size < maxEntries) return undefined
    const [oldest] = entries?.values() ?? []
    const retryAfterMs = oldest ? oldest.expiresAt - clock.monotonic() : rememberedMs
    return { kind: 'tooMany', retryAfterMs }
  }

  return {
    holdMs: Number.POSITIVE_INFINITY,

    async claim(claimant) {
      let entry = entryOf(claimant)
      if (!entry || entry.expiresAt <= clock.monotonic()) {
        forgetExpired(clock.monotonic())
        const refusal = full(claimant)
        if (refusal) return refusal
        add(claimant, nothing)
        return { kind: 'mine', progress: nothing }
      }
      if (entry.bodyHash !== claimant.bodyHash) return { kind: 'reused', ids: entry.progress }
      const { progress } = entry
      if (progress.evaluationId !== undefined) return { kind: 'done', ids: progress as CompleteIds }
      if (entry.holder !== undefined && entry.holder !== claimant.holder) {
        return { kind: 'held', ids: progress }
      }
      entry.holder = claimant.holder
      return { kind: 'mine', progress }
    },

    async record(claimant, progress) {
      const entry = entryOf(claimant)
      if (!entry) add(claimant, progress)
      else if (entry.holder === claimant.holder) entry.progress = progress
      else return entry.progress.evaluationId === undefined ? 'lost' : 'done'
      return 'mine'
    },

    async release(claimant, progress) {
      const entry = entryOf(claimant)
      if (entry?.holder !== claimant.holder) return
      const { sessionId, promptId } = progress
      if (sessionId === undefined && promptId === undefined) {
        remove(claimant.connectionKey, claimant.key)
      } else {
        Object.assign(entry, { progress, holder: undefined })
      }
    },

    async reopen(claimant, evaluationId) {
      const entry = entryOf(claimant)
      if (entry?.progress.evaluationId !== evaluationId) return { kind: 'held', ids: {} }
      const { sessionId, promptId } = entry.progress
      const progress = { sessionId, promptId, sending: false }
      Object.assign(entry, { progress, holder: claimant.holder })
      return { kind: 'mine', progress }
    },
  }
}

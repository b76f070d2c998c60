import {
  sharedHoldMs,
  type Claim,
  type Claimant,
  type CompleteIds,
  type IdempotencyStore,
  type Progress,
} from '../../src/idempotency/store.ts'
import type { Clock } from '../../src/lib/clock.ts'

interface Entry {
  readonly bodyHash: string
  holder: string | undefined
  heldUntil: number
  progress: Progress
}

export interface SharedStoreModel {
  /** The store as one replica reaches it: each command takes `latencyMs` there and back. */
  connect(clock: Clock, latencyMs: number): IdempotencyStore
  /** Everything is lost, as when a server without persistence starts again. */
  loseAll(): void
  /** The last write of each key is lost, as in a fail-over. */
  loseLastWrites(): void
  /** Commands fail from now on, or no longer; those that fail may have been done. */
  away: 'no' | 'before' | 'after'
}

const nothing: Progress = { sending: false }

/** What the scripts of redisIdempotency() do, on a clock of ours: states of a key in the store. */
export function sharedStoreModel(clock: Clock): SharedStoreModel {
  let entries = new Map<string, Entry>()
  let before = new Map<string, Entry | undefined>()

  const write = (name: string, entry: Entry | undefined): void => {
    before.set(name, entries.get(name))
    if (entry) entries.set(name, entry)
    else entries.delete(name)
  }
  const nameOf = ({ connectionKey, key }: Claimant) => `${connectionKey} ${key}`
  const heldBy = ({ bodyHash, holder }: Claimant, progress: Progress): Entry => ({
    bodyHash,
    holder,
    heldUntil: clock.monotonic() + sharedHoldMs,
    progress,
  })

  function claim(claimant: Claimant): Claim {
    const entry = entries.get(nameOf(claimant))
    if (entry && entry.bodyHash !== claimant.bodyHash) return { kind: 'reused', ids: {} }
    const progress = entry?.progress ?? nothing
    if (progress.evaluationId !== undefined) return { kind: 'done', ids: progress as CompleteIds }
    if (entry?.holder && entry.holder !== claimant.holder && entry.heldUntil > clock.monotonic()) {
      return { kind: 'held', ids: progress }
    }
    write(nameOf(claimant), heldBy(claimant, progress))
    return { kind: 'mine', progress }
  }

  function record(claimant: Claimant, progress: Progress): 'mine' | 'done' | 'lost' {
    const entry = entries.get(nameOf(claimant))
    if (entry && entry.holder !== claimant.holder) {
      if (entry.progress.evaluationId !== undefined) return 'done'
      const stronger =
        progress.evaluationId !== undefined || (progress.sending && !entry.progress.sending)
      if (!stronger) return 'lost'
    }
    write(nameOf(claimant), heldBy(claimant, progress))
    return 'mine'
  }

  function release(claimant: Claimant, progress: Progress): void {
    const entry = entries.get(nameOf(claimant))
    if (entry?.holder !== claimant.holder) return
    const kept = progress.sessionId !== undefined || progress.promptId !== undefined
    write(nameOf(claimant), kept ? { ...entry, holder: undefined, progress } : undefined)
  }

  function reopen(claimant: Claimant, evaluationId: string): Claim {
    const entry = entries.get(nameOf(claimant))
    if (entry?.progress.evaluationId !== evaluationId) return { kind: 'held', ids: {} }
    const { sessionId, promptId } = entry.progress
    const progress = { sessionId, promptId, sending: false }
    write(nameOf(claimant), heldBy(claimant, progress))
    return { kind: 'mine', progress }
  }

  const model: SharedStoreModel = {
    away: 'no',
    loseAll() {
      entries = new Map()
      before = new Map()
    },
    loseLastWrites() {
      for (const [name, entry] of before) {
        if (entry) entries.set(name, entry)
        else entries.delete(name)
      }
      before = new Map()
    },
    connect(own, latencyMs) {
      const never = new AbortController().signal
      async function ask<T>(command: () => T): Promise<T> {
        await clock.sleep(latencyMs / 2, never)
        if (model.away === 'before') throw new Error('the store is away')
        const result = command()
        const lost = model.away === 'after'
        await own.sleep(latencyMs / 2, never)
        if (lost) throw new Error('the response of the store was lost')
        return result
      }
      return {
        holdMs: sharedHoldMs,
        claim: claimant => ask(() => claim(claimant)),
        record: (claimant, progress) => ask(() => record(claimant, progress)),
        release: (claimant, progress) => ask(() => release(claimant, progress)),
        reopen: (claimant, evaluationId) => ask(() => reopen(claimant, evaluationId)),
      }
    },
  }
  return model
}

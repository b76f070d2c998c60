import type { Clock } from '../lib/clock.ts'
import { createByteBudget, type ByteMeter } from '../lib/byte-budget.ts'
import {
  keptMs,
  maxRuns,
  type KeptRun,
  type NewRun,
  type RunClaimant,
  type RunStore,
} from './run-store.ts'

interface Entry {
  readonly body: string
  run: KeptRun
  sealed: string
  open: boolean
  holder: string | undefined
  heldUntil: number
  readonly expiresAt: number
  readonly bytes: ByteMeter
  /** Of its texts, as they are counted. */
  size: number
}

export interface MemoryRunsOptions {
  /** How long a claim holds, in ms. @default without end: its holder cannot die alone */
  readonly holdMs?: number
  /** Bytes of all runs, and of one connection's. @default 32 and 8 MiB */
  readonly maxBytes?: number
  readonly maxConnectionBytes?: number
}

const mib = 1024 * 1024

/** What an entry costs beside its texts. */
const entryBytes = 600

const bytesOf = (sealed: string, run: KeptRun): number =>
  sealed.length + 2 * JSON.stringify(run.state).length + entryBytes

/** The runs of one process: they do not outlive it. Bounded in bytes. */
export function memoryRuns(
  clock: Clock,
  {
    holdMs = Number.POSITIVE_INFINITY,
    maxBytes = 32 * mib,
    maxConnectionBytes = 8 * mib,
  }: MemoryRunsOptions = {},
): RunStore {
  const budget = createByteBudget({ total: maxBytes, perKey: maxConnectionBytes })
  // Each connection's runs in the order of their expiry, since all live equally long.
  const connections = new Map<string, Map<string, Entry>>()
  const sessions = new Map<string, Map<string, number>>()

  function remove(connectionKey: string, storeId: string): void {
    const entries = connections.get(connectionKey)
    entries?.get(storeId)?.bytes.close()
    entries?.delete(storeId)
    if (entries?.size === 0) connections.delete(connectionKey)
  }

  function forgetExpired(now: number): void {
    for (const [connectionKey, entries] of connections) {
      for (const [storeId, { expiresAt }] of entries) {
        if (expiresAt > now) break
        remove(connectionKey, storeId)
      }
    }
    for (const [sessionKey, runs] of sessions) {
      for (const [storeId, until] of runs) if (until <= clock.now()) runs.delete(storeId)
      if (runs.size === 0) sessions.delete(sessionKey)
    }
  }

  function entryOf({ connectionKey, storeId }: RunClaimant): Entry | undefined {
    const entry = connections.get(connectionKey)?.get(storeId)
    return entry && entry.expiresAt > clock.monotonic() ? entry : undefined
  }

  const hold = (entry: Entry, holder: string): void => {
    Object.assign(entry, { holder, heldUntil: clock.monotonic() + holdMs })
  }

  /** `undefined` when its bytes are not to be had. */
  function add({ connectionKey, storeId, holder }: RunClaimant, run: NewRun): Entry | undefined {
    const { body, sealed, state, createdAt, changedAt } = run
    const kept = { state, createdAt, changedAt }
    const bytes = budget.meter(connectionKey)
    const size = bytesOf(sealed, kept)
    if (!bytes.hold(size)) return undefined
    const entries = connections.get(connectionKey) ?? new Map<string, Entry>()
    connections.set(connectionKey, entries)
    const now = clock.monotonic()
    const entry: Entry = {
      body,
      run: kept,
      sealed,
      open: true,
      holder,
      heldUntil: now + holdMs,
      expiresAt: now + keptMs,
      bytes,
      size,
    }
    entries.set(storeId, entry)
    return entry
  }

  return {
    holdMs,

    async claim(claimant, { begin, reopen = false } = {}) {
      const { connectionKey, holder } = claimant
      const entry = entryOf(claimant)
      if (!entry) {
        if (!begin) return { kind: 'none' }
        forgetExpired(clock.monotonic())
        const entries = connections.get(connectionKey)
        if (entries && entries.size >= maxRuns) {
          const [oldest] = entries.values()
          return { kind: 'tooMany', retryAfterMs: oldest!.expiresAt - clock.monotonic() }
        }
        if (!add(claimant, begin)) return { kind: 'full' }
        return { kind: 'mine', run: begin, fresh: true }
      }
      const { run, sealed, body } = entry
      if (begin && body !== begin.body) return { kind: 'reused' }
      const held = entry.holder !== undefined && entry.heldUntil > clock.monotonic()
      if (held && entry.holder !== holder) return { kind: 'held', run }
      if (!entry.open && !reopen) return { kind: 'ended', run }
      hold(entry, holder)
      return { kind: 'mine', run: { ...run, body, sealed }, fresh: false }
    },

    async record(claimant, { state, createdAt, changedAt, open, hold: holds, over }, whole) {
      const entry = entryOf(claimant) ?? (whole && add(claimant, whole))
      if (!entry) return 'gone'
      if (entry.holder !== claimant.holder) return 'lost'
      const run = { state, createdAt, changedAt }
      const sealed = over ? '' : entry.sealed
      const size = bytesOf(sealed, run)
      // A few ids more: they are not refused for want of bytes.
      if (size > entry.size) entry.bytes.hold(size - entry.size)
      else entry.bytes.release(entry.size - size)
      Object.assign(entry, { run, sealed, open, size })
      if (holds) hold(entry, claimant.holder)
      else entry.holder = undefined
      return 'mine'
    },

    async release(claimant) {
      const entry = entryOf(claimant)
      if (entry?.holder === claimant.holder) entry.holder = undefined
    },

    async forget(claimant) {
      const { connectionKey, storeId, holder } = claimant
      if (entryOf(claimant)?.holder === holder) remove(connectionKey, storeId)
    },

    async noteSession(sessionKey, storeId, until) {
      const runs = sessions.get(sessionKey) ?? new Map<string, number>()
      if (until > 0) runs.set(storeId, until)
      else runs.delete(storeId)
      if (runs.size > 0) sessions.set(sessionKey, runs)
      else sessions.delete(sessionKey)
    },

    async isRunning(sessionKey, now) {
      return (
        sessions
          .get(sessionKey)
          ?.values()
          .some(until => until > now) ?? false
      )
    },
  }
}

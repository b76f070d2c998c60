import type { Clock } from '../../src/lib/clock.ts'
import { memoryRuns } from '../../src/run-store/memory.ts'
import { sharedClaimMs, type RunStore } from '../../src/run-store/run-store.ts'

export interface RunStoreModel {
  /** The store as one replica reaches it: each command takes `latencyMs` there and back. */
  connect(clock: Clock, latencyMs: number): RunStore
  /** Everything is lost, as when a server without persistence starts again. */
  loseAll(): void
  /** Commands fail from now on, or no longer; those that fail may have been done. */
  away: 'no' | 'before' | 'after'
  /** All that was given to the store, as text. */
  readonly given: string[]
  /** The commands, by name. */
  readonly commands: string[]
}

/** The store that replicas share, on a clock of ours: that in memory, with claims that end. */
export function runStoreModel(clock: Clock): RunStoreModel {
  const fresh = () => memoryRuns(clock, { holdMs: sharedClaimMs })
  const never = new AbortController().signal
  let store = fresh()
  const model: RunStoreModel = {
    away: 'no',
    given: [],
    commands: [],
    loseAll() {
      store = fresh()
    },
    connect(own, latencyMs) {
      async function ask<T>(name: string, args: unknown[], command: () => Promise<T>): Promise<T> {
        model.given.push(JSON.stringify(args))
        model.commands.push(name)
        await clock.sleep(latencyMs / 2, never)
        if (model.away === 'before') throw new Error('the store is away')
        const result = await command()
        const lost = model.away === 'after'
        await own.sleep(latencyMs / 2, never)
        if (lost) throw new Error('the response of the store was lost')
        return result
      }
      return {
        holdMs: sharedClaimMs,
        claim: (...args) => ask('claim', args, () => store.claim(...args)),
        record: (...args) => ask('record', args, () => store.record(...args)),
        release: (...args) => ask('release', args, () => store.release(...args)),
        forget: (...args) => ask('forget', args, () => store.forget(...args)),
        noteSession: (...args) => ask('noteSession', args, () => store.noteSession(...args)),
        isRunning: (...args) => ask('isRunning', args, () => store.isRunning(...args)),
      }
    },
  }
  return model
}

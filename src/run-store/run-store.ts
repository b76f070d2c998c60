import { z } from 'zod'
import { bounds } from '../promptbooks/book.ts'
import type { RunState } from '../promptbooks/run-state.ts'

/** Which run of which connection, and who asks. */
export interface RunClaimant {
  /** The connection's key: another connection does not find the run. */
  readonly connectionKey: string
  /** What the store knows the run by; its URL cannot be made of it. */
  readonly storeId: string
  /** Names this driver among all replicas'. */
  readonly holder: string
}

/** What is kept of a run in clear: ids, states, types of results, dates. */
export interface KeptRun {
  readonly state: RunState
  /** When it was accepted, and when its state changed last, in ms since 1970. */
  readonly createdAt: number
  readonly changedAt: number
}

/** The whole of a run, as it begins. */
export interface NewRun extends KeptRun {
  /** The same for the same body; made with the run's key, so that it says nothing of the body. */
  readonly body: string
  /** What is to be asked, sealed for the run. */
  readonly sealed: string
}

/** What a claim of a run gives. */
export type RunClaim =
  /** The claimant drives it from now on. `fresh`: it is new to the store. */
  | { readonly kind: 'mine'; readonly run: NewRun; readonly fresh: boolean }
  /** Somebody else drives it. */
  | { readonly kind: 'held'; readonly run: KeptRun }
  /** No step is left. */
  | { readonly kind: 'ended'; readonly run: KeptRun }
  /** The connection has no such run. */
  | { readonly kind: 'none' }
  /** Its key was used with another body. */
  | { readonly kind: 'reused' }
  /** The connection has as many runs as it may have; the oldest ends after `retryAfterMs`. */
  | { readonly kind: 'tooMany'; readonly retryAfterMs: number }
  /** Its bytes are used up. */
  | { readonly kind: 'full' }

export interface ClaimOptions {
  /** Begins the run if there is none. */
  readonly begin?: NewRun | undefined
  /** Claims it even when no step is left: the same key came again. */
  readonly reopen?: boolean
}

/** What a driver records. */
export interface RunRecord extends KeptRun {
  /** Steps are left. */
  readonly open: boolean
  /** The driver goes on; otherwise its claim ends with this record. */
  readonly hold: boolean
  /** Nothing of it will be asked any more: what is sealed is thrown away. */
  readonly over: boolean
}

/** `gone`: the store has lost the run; record it again with the whole of it. */
export type RunRecorded = 'mine' | 'lost' | 'gone'

/**
 * Keeps promptbook runs for 24 h. A claim holds for `holdMs` and is extended by every record. Every
 * method rejects when the store cannot be asked, or when what it holds cannot be read.
 */
export interface RunStore {
  /** How long a claim holds, in ms: without end where its holder cannot die without the store. */
  readonly holdMs: number
  claim(claimant: RunClaimant, options?: ClaimOptions): Promise<RunClaim>
  /** Records how the run stands and extends the claim; `whole` is written if the run is gone. */
  record(claimant: RunClaimant, record: RunRecord, whole?: NewRun): Promise<RunRecorded>
  /** Gives up the claim. */
  release(claimant: RunClaimant): Promise<void>
  /** Keeps nothing of a run that created nothing. */
  forget(claimant: RunClaimant): Promise<void>
  /** Notes until when a session has a run with steps to go, in ms since 1970; 0 for no longer. */
  noteSession(sessionKey: string, storeId: string, until: number): Promise<void>
  /** Whether a session has a run with steps to go; `now` in ms since 1970. */
  isRunning(sessionKey: string, now: number): Promise<boolean>
}

/** How long a run is kept, in ms, from its beginning. */
export const keptMs = 24 * 60 * 60_000

/** How long a claim in a shared store holds unless it is extended, in ms. */
export const sharedClaimMs = 30_000

/** Live runs of a connection, at most. */
export const maxRuns = 10_000

const word = z.string().regex(/^\w{1,64}$/)

const step = z.strictObject({
  promptId: z.guid(),
  evaluationId: z.guid().optional(),
  ended: word.optional(),
  spentNothing: z.guid().optional(),
})

/**
 * A run as the store gives it back: anybody who can write there could have put a path in the place
 * of an id.
 */
export const keptState = z.strictObject({
  count: z.int().min(1).max(bounds.prompts),
  sessionId: z.guid().optional(),
  steps: z.array(step).max(bounds.prompts),
  failed: z
    .strictObject({
      step: z.int().min(0).max(bounds.prompts),
      code: word,
      message: z.string().max(1000),
      repeatable: z.boolean(),
    })
    .optional(),
  paused: z.literal(true).optional(),
}) as z.ZodType<RunState>

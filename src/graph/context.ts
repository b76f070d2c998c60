import type { Caller } from '../auth/caller.ts'
import type { ByteMeter } from '../lib/byte-budget.ts'
import type { Journal } from '../telemetry/journal.ts'
import type { Urgency } from './bulkhead.ts'

/**
 * For whom Graph is called, for how long, and where it is written down: one request of one caller.
 */
export interface GraphContext {
  readonly caller: Caller
  /**
   * Calls to Graph may be repeated until then, in ms of the monotonic clock: the retry budget of
   * the request.
   */
  readonly retryUntil: number
  /** Aborts when nobody wants the reads of this request any more: its caller left. */
  readonly signal: AbortSignal
  /** What the request did so far. */
  readonly journal: Journal
  /**
   * Counts the bytes that Graph's responses take while the request goes on. @default not counted
   */
  readonly bytes?: ByteMeter | undefined
  /** The caller's text that the request is about: no error repeats it. */
  readonly text?: string | undefined
  /** @default caller */
  readonly urgency?: Urgency
}

/** How long a request may take repeating calls to Graph, in ms (docs/api.md#71-retries). */
export const retryBudgetMs = 30_000

import type { RequestSpan } from './tracer.ts'

/** The ids that a request has to do with. */
export interface JournalIds {
  sessionId?: string | undefined
  promptId?: string | undefined
  evaluationId?: string | undefined
}

/**
 * What one request did, for its line in the log and for its errors: counts and ids, no contents.
 */
export interface Journal {
  readonly span: RequestSpan
  /** Calls made to Graph, and how long they took together, in ms. */
  graphCalls: number
  graphMs: number
  /** Graph's own id of the last call. */
  graphRequestId: string | undefined
  /** Prompts of a promptbook run that were too many to be read. */
  promptsLeftOut?: number
  /** The ids in the path. */
  named: JournalIds
  /**
   * What exists of what the request creates, from the moment on when it does. An error of the
   * request carries it, so that nothing is lost.
   */
  readonly created: JournalIds
}

export const createJournal = (span: RequestSpan): Journal => ({
  span,
  graphCalls: 0,
  graphMs: 0,
  graphRequestId: undefined,
  named: {},
  created: {},
})

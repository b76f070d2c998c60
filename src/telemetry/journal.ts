import type { RequestSpan } from './tracer.ts'

/** What one request did, for its line in the log: counts and ids, no contents. */
export interface Journal {
  readonly span: RequestSpan
  /** Calls made to Graph, and how long they took together, in ms. */
  graphCalls: number
  graphMs: number
  /** Graph's own id of the last call. */
  graphRequestId: string | undefined
  sessionId?: string | undefined
  promptId?: string | undefined
  evaluationId?: string | undefined
}

export const createJournal = (span: RequestSpan): Journal => ({
  span,
  graphCalls: 0,
  graphMs: 0,
  graphRequestId: undefined,
})

import { GraphError, graphError } from './error-response.ts'

/** How a call ended: its status, and the code of the error if it was one. */
export interface Outcome {
  readonly status: number
  readonly code?: string | undefined
}

/**
 * What a caller may try without knowing whether Graph allows it, and how it is assumed to end. The
 * reference pages say nothing of most of them.
 */
export const assumedOutcomes = {
  workspaceByDefault: { status: 200 },
  workspaceById: { status: 200 },
  workspaceByName: { status: 404, code: 'NotFound' },
  unknownWorkspace: { status: 404, code: 'NotFound' },
  unknownSession: { status: 404, code: 'NotFound' },
  unknownPrompt: { status: 404, code: 'NotFound' },
  unknownEvaluation: { status: 404, code: 'NotFound' },
  /** A session without `displayName`. */
  namelessSession: { status: 400, code: 'BadRequest' },
  blankContent: { status: 400, code: 'BadRequest' },
  /** 100,000 characters: what this service accepts at most. */
  longContent: { status: 201 },
  /** 1,000,000 characters. */
  overlongContent: { status: 201 },
  /** A prompt of type `skill`. */
  skillPrompt: { status: 400, code: 'BadRequest' },
  /** A second evaluation of the same prompt. */
  secondEvaluation: { status: 201 },
} as const satisfies Record<string, Outcome>

export type Attempt = keyof typeof assumedOutcomes
export type Outcomes = Readonly<Partial<Record<Attempt, Outcome>>>

/** Graph's error of an outcome. */
export function errorOf({ status, code }: Outcome): GraphError {
  const usual = graphError(status)
  return code === undefined ? usual : new GraphError(status, code, usual.message)
}

/** Whether an attempt succeeds. */
export const succeeds = (attempt: Attempt, outcomes: Outcomes = {}): boolean =>
  (outcomes[attempt] ?? assumedOutcomes[attempt]).status < 400

/** The error of an attempt that fails; of one that should have succeeded, the assumed 404. */
export function refusalOf(attempt: Attempt, outcomes: Outcomes = {}): GraphError {
  const outcome: Outcome = outcomes[attempt] ?? assumedOutcomes[attempt]
  return outcome.status < 400 ? graphError(404) : errorOf(outcome)
}

/** Lets an attempt through, or refuses it. */
export function allow(attempt: Attempt, outcomes?: Outcomes): void {
  if (!succeeds(attempt, outcomes)) throw refusalOf(attempt, outcomes)
}

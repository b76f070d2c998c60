import type { FastifyReply } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import type { Run } from '../copilot/copilot.ts'
import { retryAfterSeconds } from '../copilot/pacing.ts'
import { baseFor, pollTargets } from './location.ts'
import { toEvaluationResult } from './result.ts'

export interface Wire {
  readonly clock: Clock
  readonly publicUrl: string
}

/** The ids of a run, for the request's line in the log. */
export const idsOf = ({ sessionId, promptId, evaluation }: Run) => ({
  sessionId,
  promptId,
  evaluationId: evaluation.id,
})

/** Asks the caller to wait before the next poll, longer the older the evaluation is. */
export function askToWait(reply: FastifyReply, run: Run, clock: Clock): void {
  const ageMs = clock.now() - Date.parse(run.evaluation.createdDateTime)
  reply.header('retry-after', retryAfterSeconds(ageMs))
}

/** 202: the evaluation runs on. The body says how far it is, the headers where to hear the rest. */
export function sendAccepted(
  reply: FastifyReply,
  run: Run,
  { clock, publicUrl }: Wire,
): FastifyReply {
  const { result, operation } = pollTargets(baseFor(reply.request.headers, publicUrl), run)
  askToWait(reply, run, clock)
  return reply
    .code(202)
    .header('location', result)
    .header('operation-location', operation)
    .send(toEvaluationResult(run))
}

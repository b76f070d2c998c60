import type { Copilot } from '../copilot/copilot.ts'
import { fetchRun } from '../copilot/evaluation.ts'
import { isEnded } from '../copilot/spelling.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { toEvaluationResult, toOperationStatus } from './result.ts'
import {
  fetchPromptStatusOperation,
  getPromptOperationOperation,
  getPromptResultOperation,
} from './descriptions.ts'
import { askToWait, sendAccepted, type Wire } from './accepted.ts'
import { evaluationParams, evaluationResult, operationStatus } from './schemas.ts'

const path = '/sessions/:sessionId/prompts/:promptId/evaluations/:evaluationId'

/** Fetch prompt status, and the two addresses that pollers are sent to. */
export const evaluationRoutes: ZodPlugin<Wire & { copilot: Copilot }> = async (
  app,
  { copilot, ...wire },
) => {
  // 200 whatever the state: a 202 would make a workflow engine poll inside the action.
  app.get(
    path,
    {
      schema: {
        operation: fetchPromptStatusOperation,
        params: evaluationParams,
        response: { 200: evaluationResult },
      },
    },
    async request =>
      toEvaluationResult(await fetchRun(copilot, request.connection, request.params)),
  )

  // The target of Location: 202 while running, as workflow engines poll.
  app.get(
    `${path}/result`,
    {
      schema: {
        operation: getPromptResultOperation,
        params: evaluationParams,
        response: { 200: evaluationResult, 202: evaluationResult },
      },
    },
    async (request, reply) => {
      const run = await fetchRun(copilot, request.connection, request.params)
      return isEnded(run.evaluation) ? toEvaluationResult(run) : sendAccepted(reply, run, wire)
    },
  )

  // The target of Operation-Location: 200 with a status, as Azure's SDKs poll.
  app.get(
    `${path}/operation`,
    {
      schema: {
        operation: getPromptOperationOperation,
        params: evaluationParams,
        response: { 200: operationStatus },
      },
    },
    async (request, reply) => {
      const run = await fetchRun(copilot, request.connection, request.params)
      if (!isEnded(run.evaluation)) askToWait(reply, run, wire.clock)
      return toOperationStatus(run)
    },
  )
}

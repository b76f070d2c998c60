import { isEnded } from '../copilot/evaluation.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { askToWait, sendAccepted, type RunRoutes } from './accepted.ts'
import { getPromptOperationDescription, getPromptResultDescription } from './descriptions.ts'
import { evaluationPath } from './fetch-prompt-status.ts'
import { hold } from './hold.ts'
import { toEvaluationResult, toOperationStatus } from './result.ts'
import { evaluationParams, evaluationResult, operationStatus } from './schemas.ts'

export interface PollRoutes extends RunRoutes {
  /** How long a poll waits for the end when the caller does not say. */
  readonly resultWaitSeconds: number
}

/** The two addresses that a caller who was answered 202 polls. */
export const pollPromptRoutes: ZodPlugin<PollRoutes> = async (
  app,
  { copilot, resultWaitSeconds, ...wire },
) => {
  // The target of Location: 202 while running, as workflow engines poll. A poll waits for the end,
  // so that a result is not late by a whole `Retry-After`.
  app.get(
    `${evaluationPath}/result`,
    {
      schema: {
        operation: getPromptResultDescription,
        params: evaluationParams,
        response: { 200: evaluationResult, 202: evaluationResult },
      },
    },
    async (request, reply) => {
      const { graphContext, params } = request
      const run = await hold(request, reply, resultWaitSeconds, patience =>
        copilot.evaluation(graphContext, params, patience),
      )
      return isEnded(run.evaluation) ? toEvaluationResult(run) : sendAccepted(reply, run, wire)
    },
  )

  // The target of Operation-Location: 200 with a status, as Azure's SDKs poll.
  app.get(
    `${evaluationPath}/operation`,
    {
      schema: {
        operation: getPromptOperationDescription,
        params: evaluationParams,
        response: { 200: operationStatus },
      },
    },
    async ({ graphContext, params }, reply) => {
      const run = await copilot.evaluation(graphContext, params)
      if (!isEnded(run.evaluation)) askToWait(reply, run, wire)
      return toOperationStatus(run)
    },
  )
}

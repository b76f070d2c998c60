import type { Copilot } from '../copilot/copilot.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { fetchPromptStatusDescription } from './descriptions.ts'
import { toEvaluationResult } from './result.ts'
import { evaluationParams, evaluationResult } from './schemas.ts'

/** The path of an evaluation. */
export const evaluationPath =
  '/sessions/:sessionId/prompts/:promptId/evaluations/:evaluationId' as const

/**
 * Fetch prompt status. 200 whatever the state: a 202 would make a workflow engine poll inside the
 * action.
 */
export const fetchPromptStatusRoute: ZodPlugin<{ copilot: Copilot }> = async (app, { copilot }) => {
  app.get(
    evaluationPath,
    {
      schema: {
        operation: fetchPromptStatusDescription,
        params: evaluationParams,
        response: { 200: evaluationResult },
      },
    },
    async ({ graphContext, params }) =>
      toEvaluationResult(await copilot.evaluation(graphContext, params)),
  )
}

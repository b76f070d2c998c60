import { isEnded } from '../copilot/evaluation.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { sendAccepted, type RunRoutes } from './accepted.ts'
import { submitPromptDescription } from './descriptions.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { hold } from './hold.ts'
import { toEvaluationResult } from './result.ts'
import { evaluationResult, inWireNames, submitPrompt } from './schemas.ts'

export interface SubmitRoutes extends RunRoutes {
  /** How long to wait when the caller does not say. */
  readonly submitWaitSeconds: number
}

/** `POST /process-prompt`: Submit a Security Copilot prompt. */
export const submitRoutes: ZodPlugin<SubmitRoutes> = async (
  app,
  { copilot, submitWaitSeconds, ...wire },
) => {
  app.post(
    '/process-prompt',
    {
      schema: {
        operation: submitPromptDescription,
        body: submitPrompt,
        response: { 200: evaluationResult, 202: evaluationResult },
      },
    },
    async (request, reply) => {
      const { headers, body } = request
      const submission = {
        content: body.PromptContent,
        sessionId: body.SessionId,
        plugins: body.Skillsets,
        skillName: body.SkillName,
        skillInputs: body.SkillInputs,
        idempotencyKey: readIdempotencyKey(headers),
      }
      const run = await hold(request, reply, submitWaitSeconds, patience =>
        copilot.submit(request.graphContext, submission, patience),
      ).catch((error: unknown) => {
        throw inWireNames(error)
      })
      return isEnded(run.evaluation) ? toEvaluationResult(run) : sendAccepted(reply, run, wire)
    },
  )
}

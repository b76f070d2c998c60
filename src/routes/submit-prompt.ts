import type { Copilot } from '../copilot/copilot.ts'
import { isEnded } from '../copilot/spelling.ts'
import { submitOnce } from '../copilot/submit-keyed.ts'
import { submit } from '../copilot/submit.ts'
import { hashOf } from '../lib/hash.ts'
import type { IdempotencyStore } from '../idempotency/store.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { bodyHash, readIdempotencyKey } from './idempotency-key.ts'
import { toEvaluationResult } from './result.ts'
import { submitPromptOperation } from './descriptions.ts'
import { readPreference } from './prefer.ts'
import { idsOf, sendAccepted, type Wire } from './accepted.ts'
import { evaluationResult, submitPrompt } from './schemas.ts'

export interface SubmitOptions extends Wire {
  readonly copilot: Copilot
  readonly idempotency: IdempotencyStore
  /** How long to wait when the caller does not say. */
  readonly submitWaitSeconds: number
}

/** `POST /process-prompt`: Submit a Security Copilot prompt. */
export const submitRoute: ZodPlugin<SubmitOptions> = async (
  app,
  { copilot, idempotency, submitWaitSeconds, ...wire },
) => {
  app.post(
    '/process-prompt',
    {
      schema: {
        operation: submitPromptOperation,
        body: submitPrompt,
        response: { 200: evaluationResult, 202: evaluationResult },
      },
    },
    async (request, reply) => {
      const { waitSeconds, applied } = readPreference(request.headers.prefer, submitWaitSeconds)
      const { PromptContent, SessionId, Skillsets, SkillName, SkillInputs } = request.body
      const submission = {
        content: PromptContent,
        sessionId: SessionId,
        plugins: Skillsets,
        skillName: SkillName,
        skillInputs: SkillInputs,
      }
      const key = readIdempotencyKey(request.headers)
      const as = request.connection

      const patience = {
        until: request.receivedAt + waitSeconds * 1000,
        signal: app.shutdown.holdSignal(reply),
      }
      const run =
        key === undefined
          ? await submit(copilot, as, submission, patience)
          : await submitOnce(
              copilot,
              as,
              { submission, key: hashOf(as.key, key), bodyHash: bodyHash(request.body) },
              idempotency,
              patience,
            )
      Object.assign(request.journal, idsOf(run))
      if (applied !== undefined) reply.header('preference-applied', applied)
      return isEnded(run.evaluation) ? toEvaluationResult(run) : sendAccepted(reply, run, wire)
    },
  )
}

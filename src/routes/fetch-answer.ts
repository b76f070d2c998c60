import type { AnswerForms } from '../answer/answer.ts'
import type { Copilot } from '../copilot/copilot.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { fetchAnswerDescription } from './descriptions.ts'
import { evaluationPath } from './fetch-prompt-status.ts'
import { toAnswer } from './result.ts'
import { answer, answerQuery, evaluationParams } from './schemas.ts'

export interface AnswerRoutes {
  readonly copilot: Copilot
  readonly answerForms: AnswerForms
}

/** Fetch the answer as HTML, text or JSON: 200 whatever the state. It spends no evaluation. */
export const fetchAnswerRoute: ZodPlugin<AnswerRoutes> = async (app, { copilot, answerForms }) => {
  app.get(
    `${evaluationPath}/answer`,
    {
      schema: {
        operation: fetchAnswerDescription,
        params: evaluationParams,
        querystring: answerQuery,
        response: { 200: answer },
      },
    },
    async ({ graphContext, params, query }, reply) => {
      const run = await copilot.evaluation(graphContext, params)
      const { content } = await answerForms.convert(
        run.evaluation.result?.content ?? null,
        query.as,
      )
      const head = JSON.stringify({ ...toAnswer(run), format: query.as, content })
      // The JSON text is the value too: parsing a long one would hold everybody else up.
      const isValue = query.as === 'json' && content !== null
      const body = isValue ? `${head.slice(0, -1)},"value":${content}}` : head
      return reply
        .type('application/json; charset=utf-8')
        .serializer((text: string) => text)
        .send(body as never)
    },
  )
}

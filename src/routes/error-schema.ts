import { z } from 'zod'
import { catalogue, type ErrorCode } from '../errors.ts'
import { evaluationId, promptId, sessionId } from './id-schemas.ts'

const text = (description: string) => z.string().meta({ description })

/** The body of every error (docs/api.md#8-errors). */
export const errorAnswer = z
  .strictObject({
    sessionId: sessionId.optional(),
    promptId: promptId.optional(),
    evaluationId: evaluationId.optional(),
    errors: z
      .array(z.string())
      .optional()
      .meta({ description: 'The message again; only of Run promptbook, as its clients read it.' }),
    error: z.strictObject({
      code: z
        .enum(Object.keys(catalogue) as [ErrorCode, ...ErrorCode[]])
        .meta({ description: 'What went wrong; never changes. docs/errors.md says what to do.' }),
      message: text('What failed, and why.'),
      target: text('The part of the request that is wrong.').optional(),
      details: z
        .array(z.strictObject({ code: z.string(), message: z.string(), target: z.string() }))
        .optional()
        .meta({ description: 'Each thing that is wrong with the request.' }),
      innerError: z.strictObject({
        date: text('When, UTC.'),
        'request-id': text('Id of the request, also in the header and in the log.'),
        'client-request-id': text("The caller's own id of the request, if it sent one."),
        graph: z
          .strictObject({
            status: z.number(),
            code: z.string().optional(),
            message: z.string().optional(),
            'request-id': z.string().optional(),
          })
          .optional()
          .meta({ description: 'What Microsoft Graph answered.' }),
      }),
    }),
  })
  .meta({ description: 'What failed, why, and what exists already.' })

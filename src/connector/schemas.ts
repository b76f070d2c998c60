import { z } from 'zod'

// The wire, as the connector's reference page spells it; these names live here and nowhere deeper.

const required = (expected: string) => ({
  error: ({ input }: { readonly input?: unknown }) => (input === undefined ? 'is required' : `must be ${expected}`),
})

const guid = z.guid('must be a GUID: 36 characters with hyphens')

/** Clients send `null` and `""` for what they leave out. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(value => (value === null || value === '' ? undefined : value), schema.optional())

const inputValue = z.union([z.string(), z.number(), z.boolean()], 'must be a string, a number or a boolean')

/** The body of Submit. Unknown keys are refused. */
export const submitPrompt = z
  .strictObject(
    {
      PromptContent: z
        .string(required('a string'))
        .max(100_000, 'must be at most 100,000 characters')
        .refine(text => text.trim() !== '', 'must not be blank'),
      SessionId: optional(guid),
      Skillsets: optional(
        z.array(
          z.string('must be the name of a plugin').min(1, 'must be the name of a plugin'),
          'must be an array of strings',
        ),
      ),
      SkillName: optional(
        z
          .string('must be a string')
          .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be 1 to 128 letters, digits, "_", "." or "-"'),
      ),
      SkillInputs: optional(z.record(z.string(), inputValue, 'must be an object')),
    },
    required('a JSON object'),
  )
  .refine(body => body.SkillInputs === undefined || body.SkillName !== undefined, {
    path: ['SkillInputs'],
    error: 'must come with SkillName',
  })

/** The ids in a prompt's path. */
export const promptParams = z.object({ sessionId: guid, promptId: guid })

/** The ids in an evaluation's path. */
export const evaluationParams = promptParams.extend({ evaluationId: guid })

/** The answer of Submit and Fetch prompt status. Note the capital E of the content's key. */
export const evaluationResult = z.strictObject({
  sessionId: guid,
  promptId: guid,
  evaluationId: guid,
  skillName: z.string().nullable(),
  promptContent: z.string(),
  evaluationState: z.string(),
  evaluationResultType: z.string(),
  EvaluationResultContent: z.string().nullable(),
  nextPromptSuggestions: z.array(z.string()),
})

/** One prompt of a promptbook run. */
export const promptbookPromptEvaluationResult = evaluationResult.pick({
  skillName: true,
  promptContent: true,
  evaluationResultType: true,
  EvaluationResultContent: true,
})

/** The answer of Fetch promptbook prompt evaluation status. */
export const promptbookRunResult = z.strictObject({
  sessionId: guid,
  promptbookState: z.string(),
  evaluationResults: z.array(promptbookPromptEvaluationResult),
})

/** The status of a long-running operation, as Azure's pollers read it. */
export const operationStatus = z.strictObject({
  id: guid,
  status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']),
  createdDateTime: z.string(),
  lastActionDateTime: z.string(),
  result: evaluationResult.optional(),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
})

export type SubmitPrompt = z.output<typeof submitPrompt>
export type EvaluationResult = z.output<typeof evaluationResult>
export type PromptbookRunResult = z.output<typeof promptbookRunResult>
export type OperationStatus = z.output<typeof operationStatus>

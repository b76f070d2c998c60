import { z } from 'zod'
import { catalogue, ConnectorError, type ErrorCode } from '../errors.ts'

// The wire, as the connector's reference page spells it; these names live here and nowhere deeper.
// Titles and descriptions are what both documents and every designer show.

const required = (expected: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    input === undefined ? 'is required' : `must be ${expected}`,
})

const guid = z.guid('must be a GUID: 36 characters with hyphens')

const sessionId = guid.meta({
  title: 'Session ID',
  description: 'Id of the Security Copilot session.',
})
const promptId = guid.meta({ title: 'Prompt ID', description: 'Id of the prompt in its session.' })
const evaluationId = guid.meta({
  title: 'Evaluation ID',
  description: 'Id of the evaluation, one run of the prompt.',
})

/** Clients send `null` and `""` for what they leave out. */
const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .preprocess(value => (value === null || value === '' ? undefined : value), schema.optional())
    .meta({ 'x-nullable': true })

const inputValue = z.union(
  [z.string(), z.number(), z.boolean()],
  'must be a string, a number or a boolean',
)

/** The body of Submit. Unknown keys are refused. */
export const submitPrompt = z
  .strictObject(
    {
      PromptContent: z
        .string(required('a string'))
        .min(1, { error: 'must not be blank', abort: true })
        .max(100_000, 'must be at most 100,000 characters')
        .refine(text => text.trim() !== '', 'must not be blank')
        .meta({
          title: 'Prompt Content',
          description: 'What to ask Security Copilot, in plain words: 1 to 100,000 characters.',
          'x-ms-visibility': 'important',
        }),
      SessionId: optional(guid).meta({
        title: 'Session ID',
        description:
          'Session to go on in, so that earlier prompts and answers count; leave it empty for a new session.',
        'x-ms-visibility': 'important',
      }),
      Skillsets: optional(
        z.array(
          z
            .string('must be the name of a plugin')
            .min(1, 'must be the name of a plugin')
            .meta({ title: 'Plugin', description: 'Name of a plugin.' }),
          'must be an array of strings',
        ),
      ).meta({
        title: 'Plugins',
        description:
          'Plugins that must be enabled in the workspace, by name. They are checked, not switched on: one that is off is an error.',
        'x-ms-visibility': 'advanced',
      }),
      SkillName: optional(
        z
          .string('must be a string')
          .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be 1 to 128 letters, digits, "_", "." or "-"'),
      ).meta({
        title: 'Direct Skill',
        description: 'Skill to call by its name; it is written in front of the prompt.',
        'x-ms-visibility': 'advanced',
      }),
      SkillInputs: optional(z.record(z.string(), inputValue, 'must be an object')).meta({
        title: 'Direct Skill Inputs',
        description: 'Inputs of the direct skill: an object of strings, numbers and booleans.',
        'x-ms-visibility': 'advanced',
      }),
    },
    required('a JSON object'),
  )
  .refine(body => body.SkillInputs === undefined || body.SkillName !== undefined, {
    path: ['SkillInputs'],
    error: 'must come with SkillName',
  })

/** The ids in a prompt's path. */
export const promptParams = z.object({ sessionId, promptId })

/** The ids in an evaluation's path. */
export const evaluationParams = promptParams.extend({ evaluationId })

/** The response of Submit and Fetch prompt status. Note the capital E of the content's key. */
export const evaluationResult = z
  .strictObject({
    sessionId,
    promptId,
    evaluationId,
    skillName: z
      .string()
      .nullable()
      .meta({ title: 'Skill Name', description: 'The skill that the prompt names, if any.' }),
    promptContent: z
      .string()
      .meta({ title: 'Prompt Content', description: 'The prompt as Security Copilot has it.' }),
    evaluationState: z.string().meta({
      title: 'Evaluation State',
      description:
        'Created, Running, Pending, Deferred or WaitingForInput while it goes on; Completed or Cancelled once it ended. Completed is not success: see the result type.',
    }),
    evaluationResultType: z.string().meta({
      title: 'Evaluation Result Type',
      description:
        'Success, or why there is no answer: Error, Rejected, TimedOut, CapacityExceeded, NeedAdditionalClaims. Unknown while there is no result.',
    }),
    EvaluationResultContent: z.string().nullable().meta({
      title: 'Evaluation Result Content',
      description: 'The answer, as plain text or Markdown; empty while there is none.',
    }),
    nextPromptSuggestions: z
      .array(
        z.string().meta({ title: 'Suggestion', description: 'A prompt that could come next.' }),
      )
      .meta({
        title: 'Next Prompt Suggestions',
        description: 'Prompts that could come next; Graph has none, so it is empty.',
      }),
  })
  .meta({
    title: 'Evaluation Result',
    description: 'One run of a prompt: its ids, its state and the answer.',
  })

/** One prompt of a promptbook run. */
export const promptbookPromptEvaluationResult = evaluationResult
  .pick({
    skillName: true,
    promptContent: true,
    evaluationResultType: true,
    EvaluationResultContent: true,
  })
  .meta({
    title: 'Promptbook Prompt Evaluation Result',
    description: 'One prompt of a promptbook run, with the newest answer.',
  })

/** The response of Fetch promptbook prompt evaluation status. */
export const promptbookRunResult = z
  .strictObject({
    sessionId,
    promptbookState: z.string().meta({
      title: 'Promptbook State',
      description:
        'Created while nothing runs; Running; WaitingForInput; Completed or Cancelled once every prompt ended.',
    }),
    evaluationResults: z
      .array(promptbookPromptEvaluationResult)
      .meta({ title: 'Evaluation Results', description: 'The prompts of the run in their order.' }),
  })
  .meta({
    title: 'Promptbook Run Result',
    description: 'How a promptbook run stands, prompt by prompt.',
  })

/** The status of a long-running operation, as Azure's pollers read it. */
export const operationStatus = z
  .strictObject({
    id: guid.meta({ title: 'Operation ID', description: 'Id of the evaluation.' }),
    status: z.enum(['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled']).meta({
      title: 'Status',
      description: 'How far it is. An evaluation that completed without success is Failed.',
    }),
    createdDateTime: z
      .string()
      .meta({ title: 'Created', description: 'When the evaluation was created, UTC.' }),
    lastActionDateTime: z
      .string()
      .meta({ title: 'Last Action', description: 'When the evaluation last changed, UTC.' }),
    result: evaluationResult
      .optional()
      .meta({ title: 'Result', description: 'The evaluation result, once it ended.' }),
    error: z
      .strictObject({
        code: z.string().meta({ title: 'Code', description: "The evaluation's result type." }),
        message: z.string().meta({ title: 'Message', description: 'What that means.' }),
      })
      .optional()
      .meta({ title: 'Error', description: 'Why it failed; only then.' }),
  })
  .meta({ title: 'Operation Status', description: 'The evaluation as a long-running operation.' })

/** The body of every error. */
export const errorAnswer = z
  .strictObject({
    sessionId: sessionId.optional(),
    promptId: promptId.optional(),
    error: z.strictObject({
      code: z
        .enum(Object.keys(catalogue) as [ErrorCode, ...ErrorCode[]])
        .meta({ description: 'What went wrong; never changes. docs/errors.md says what to do.' }),
      message: z.string().meta({ description: 'What failed, and why.' }),
      target: z.string().optional().meta({ description: 'The part of the request that is wrong.' }),
      details: z
        .array(z.strictObject({ code: z.string(), message: z.string(), target: z.string() }))
        .optional()
        .meta({ description: 'Each thing that is wrong with the request.' }),
      innerError: z.strictObject({
        date: z.string().meta({ description: 'When, UTC.' }),
        'request-id': z
          .string()
          .meta({ description: 'Id of the request, also in the header and in the log.' }),
        'client-request-id': z
          .string()
          .meta({ description: "The caller's own id of the request, if it sent one." }),
        graph: z
          .strictObject({
            status: z.int(),
            code: z.string().optional(),
            message: z.string().optional(),
            'request-id': z.string().optional(),
          })
          .optional()
          .meta({ description: 'What Microsoft Graph answered.' }),
      }),
    }),
  })
  .meta({ title: 'Error', description: 'What failed, why, and what exists already.' })

/** The named responses, as both documents call them. */
export const named = {
  EvaluationResult: evaluationResult,
  PromptbookPromptEvaluationResult: promptbookPromptEvaluationResult,
  PromptbookRunResult: promptbookRunResult,
  OperationStatus: operationStatus,
  ErrorAnswer: errorAnswer,
}

export type SubmitPrompt = z.output<typeof submitPrompt>
export type EvaluationResult = z.output<typeof evaluationResult>
export type PromptbookRunResult = z.output<typeof promptbookRunResult>
export type OperationStatus = z.output<typeof operationStatus>

const inWire = (target = ''): string => target.replace(/^plugins/, 'Skillsets')

/**
 * An error of copilot/ in the wire's names: what it calls plugins, the body calls `Skillsets`.
 * Anything else thrown stays as it is. Pure.
 */
export function inWireNames(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.code !== 'PluginNotEnabled') return error
  const { details = [], ...shown } = error.shown
  return new ConnectorError(
    error.code,
    error.message,
    {
      ...shown,
      target: inWire(shown.target),
      details: details.map(detail => ({ ...detail, target: inWire(detail.target) })),
    },
    error.inner,
  )
}

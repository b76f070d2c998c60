import { z } from 'zod'
import { evaluationId, guid, promptId, sessionId } from './id-schemas.ts'

// The responses about prompts, as the connector's reference page spells them. No root has a title:
// designers put it before the name of every value in it.

const text = (title: string, description: string) => z.string().meta({ title, description })

const promptContent = text('Prompt Content', 'The prompt as Security Copilot has it.')

const evaluationState = text(
  'Evaluation State',
  'Created, Running, Pending, Deferred or WaitingForInput while it goes on; Completed or Cancelled once it ended. Completed is not success: see the result type.',
)

const evaluationResultType = text(
  'Evaluation Result Type',
  'Success, or why there is no answer: Error, Rejected, TimedOut, CapacityExceeded, NeedAdditionalClaims. Unknown while there is no result.',
)

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
    promptContent,
    evaluationState,
    evaluationResultType,
    EvaluationResultContent: z.string().nullable().meta({
      title: 'Evaluation Result Content',
      description:
        'The answer, as plain text or Markdown; empty while there is none. It may contain mistakes.',
    }),
    nextPromptSuggestions: z.array(text('Suggestion', 'A prompt that could come next.')).meta({
      title: 'Next Prompt Suggestions',
      description: 'Prompts that could come next; Graph has none, so it is empty.',
    }),
  })
  .meta({ description: 'One run of a prompt: its ids, its state and the answer.' })

/** One prompt of a promptbook run. */
export const promptbookPromptEvaluationResult = evaluationResult
  .pick({
    skillName: true,
    promptContent: true,
    evaluationResultType: true,
    EvaluationResultContent: true,
  })
  .meta({ description: 'One prompt of a promptbook run, with the newest answer.' })

/** The response of Fetch promptbookprompt evaluation status. */
export const promptbookRunResult = z
  .strictObject({
    sessionId,
    promptbookState: text(
      'Promptbook State',
      'Created while nothing runs; Running; WaitingForInput; Completed or Cancelled once every prompt ended.',
    ),
    evaluationResults: z
      .array(promptbookPromptEvaluationResult)
      .meta({ title: 'Evaluation Results', description: 'The prompts of the run in their order.' }),
  })
  .meta({ description: 'How a promptbook run stands, prompt by prompt.' })

/** The response of Fetch answer. */
export const answer = z
  .strictObject({
    sessionId,
    promptId,
    evaluationId,
    evaluationState,
    evaluationResultType,
    format: z
      .enum(['html', 'text', 'json'])
      .meta({ title: 'Format', description: 'The form that was asked for.' }),
    content: z.string().nullable().meta({
      title: 'Content',
      description: 'The answer in this form; empty while there is none. It may contain mistakes.',
    }),
    value: z.unknown().optional().meta({
      title: 'Value',
      description: 'The JSON that the answer holds, read; only in the form json.',
    }),
  })
  .meta({ description: 'The answer of an evaluation, in one form.' })

const operationStates = ['NotStarted', 'Running', 'Succeeded', 'Failed', 'Canceled'] as const

/** What each long-running operation says of itself, as Azure's pollers read it. */
export const operationFacts = {
  status: z.enum(operationStates).meta({
    title: 'Status',
    description: 'How far it is. What completed without success is Failed.',
  }),
  createdDateTime: text('Created', 'When it was created, UTC.'),
  lastActionDateTime: text('Last Action', 'When it last changed, UTC.'),
  error: z
    .strictObject({
      code: text('Code', 'The result type.'),
      message: text('Message', 'What that means.'),
    })
    .optional()
    .meta({ title: 'Error', description: 'Why it failed; only then.' }),
} as const

/** The status of an evaluation as a long-running operation. */
export const operationStatus = z
  .strictObject({
    id: guid.meta({ title: 'Operation Id', description: 'Id of the evaluation.' }),
    ...operationFacts,
    result: evaluationResult
      .optional()
      .meta({ title: 'Result', description: 'The evaluation result, once it ended.' }),
  })
  .meta({ description: 'The evaluation as a long-running operation.' })

export type EvaluationResult = z.output<typeof evaluationResult>
export type PromptbookRunResult = z.output<typeof promptbookRunResult>
export type OperationStatus = z.output<typeof operationStatus>
export type Answer = z.output<typeof answer>

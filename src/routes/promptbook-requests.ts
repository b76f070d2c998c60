import { z } from 'zod'
import { bounds } from '../promptbooks/book.ts'
import { boundedObject, optional, optionalArray, optionalRecord } from './optional-values.ts'
import {
  checkPrompt,
  content,
  half,
  inputValue,
  isWhole,
  sessionId,
  skillInputs,
  skillName,
  skillsets,
} from './prompt-keys.ts'

// What callers send about promptbooks; these names live here and nowhere deeper.

/** A prompt by itself, or with a skill: a text is the content of one. */
const promptOfRun = z
  .preprocess(
    value => (typeof value === 'string' ? { PromptContent: value } : value),
    boundedObject(
      { PromptContent: content, SkillName: skillName, SkillInputs: skillInputs },
      'a prompt: text, or an object with PromptContent',
    ).superRefine(checkPrompt),
  )
  .meta({
    title: 'Prompt',
    description: 'The text to ask, or an object with PromptContent, SkillName and SkillInputs.',
    'x-text': { minLength: 1, maxLength: bounds.contentLength },
  })

/** The body of Run promptbook. Unknown keys are refused. */
export const runPromptbook = boundedObject(
  {
    PromptbookId: optional(
      z
        .string('must be a string')
        .max(bounds.nameLength, `must be at most ${bounds.nameLength} characters`)
        .refine(isWhole, half),
    ).meta({
      title: 'Promptbook',
      description: 'Promptbook of this service to run, by id or name. Give this or Prompts.',
      'x-ms-visibility': 'important',
      'x-ms-dynamic-values': {
        operationId: 'ListPromptbooks',
        'value-collection': 'value',
        'value-path': 'id',
        'value-title': 'name',
      },
    }),
    PromptbookInputs: optionalRecord(
      z.string().min(1).max(bounds.nameLength).refine(isWhole),
      inputValue,
      { max: bounds.inputs, nameRule: `must have a name of 1 to ${bounds.nameLength} characters` },
    ).meta({
      title: 'Promptbook Inputs',
      description:
        'Values for the names in angle brackets in the prompts: an object, or that as JSON in a string.',
      'x-ms-visibility': 'important',
      'x-ms-dynamic-schema': {
        operationId: 'GetPromptbookInputs',
        parameters: { promptbookId: { parameter: 'PromptbookId' } },
      },
      'x-ms-dynamic-properties': {
        operationId: 'GetPromptbookInputs',
        parameters: { promptbookId: { parameterReference: 'body/PromptbookId' } },
      },
    }),
    Prompts: optionalArray(promptOfRun, {
      max: bounds.prompts,
      expected: 'an array of prompts',
    }).meta({
      title: 'Prompts',
      description:
        'Prompts to run in this order, instead of a promptbook: 1 to 50 texts or objects with PromptContent.',
      'x-ms-visibility': 'advanced',
    }),
    SessionId: sessionId,
    Skillsets: skillsets,
  },
  'a JSON object',
).superRefine(({ PromptbookId, Prompts }, context) => {
  if ((PromptbookId === undefined) !== (Prompts === undefined)) return
  const message =
    Prompts === undefined ? 'or Prompts is required' : 'cannot come together with Prompts'
  context.addIssue({ code: 'custom', path: ['PromptbookId'], message })
})

/** The path of a promptbook. */
export const promptbookParams = z.object({
  promptbookId: z
    .string()
    .min(1)
    .max(bounds.nameLength, `must be at most ${bounds.nameLength} characters`)
    .meta({ title: 'Promptbook Id', description: 'Id or name of the promptbook.' }),
})

/** The path of a promptbook run; whether the id is one of a run is not a matter of form. */
export const runParams = z.object({
  runId: z
    .string()
    .min(1)
    .max(512, 'must be at most 512 characters')
    .meta({ title: 'Run Id', description: 'Id of the promptbook run, from its Location.' }),
})

export type RunPromptbook = z.output<typeof runPromptbook>

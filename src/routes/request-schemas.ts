import { z } from 'zod'
import { bounds, isBlank } from '../promptbooks/book.ts'
import { guid } from './id-schemas.ts'
import {
  boundedObject,
  optional,
  optionalArray,
  optionalInside,
  optionalRecord,
  required,
} from './optional-values.ts'

// The bodies, as the connector's reference page spells them; these names live here and nowhere
// deeper. Titles and descriptions are what both documents and every designer show.

const maxPlugins = 50

const isWhole = (text: string): boolean => text.isWellFormed()
const half = 'has half of a surrogate pair'

const thousands = (count: number): string => count.toLocaleString('en')

const content = z
  .string(required('a string'))
  .min(1, { error: 'must not be blank', abort: true })
  .max(bounds.contentLength, {
    error: `must be at most ${thousands(bounds.contentLength)} characters`,
    abort: true,
  })
  .refine(text => !isBlank(text), 'must not be blank')
  .refine(isWhole, half)
  .meta({
    title: 'Prompt Content',
    description: 'What to ask Security Copilot, in plain words: 1 to 100,000 characters.',
    'x-ms-visibility': 'important',
  })

const word = /^[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)*$/
const wordRule = `1 to ${bounds.nameLength} letters, digits, "_", "." or "-", with single blanks inside`
const name = z
  .string('must be a string')
  .max(bounds.nameLength, { error: `must be ${wordRule}`, abort: true })
  .regex(word, `must be ${wordRule}`)

const inputValue = z
  .union([z.string(), z.number(), z.boolean()], 'must be a string, a number or a boolean')
  .refine(
    value => typeof value !== 'string' || value.length <= bounds.valueLength,
    `must be at most ${thousands(bounds.valueLength)} characters`,
  )
  .refine(value => typeof value !== 'string' || isWhole(value), half)
  .meta({ maxLength: bounds.valueLength })

const skillName = optional(name).meta({
  title: 'Direct Skill Name',
  description: 'Skill to call by its name; it is written in front of the prompt.',
  'x-ms-visibility': 'advanced',
})

const skillInputs = optionalRecord(name, inputValue, {
  max: bounds.inputs,
  nameRule: `must be named with ${wordRule}`,
}).meta({
  title: 'Direct Skill Inputs',
  description:
    'Inputs of the direct skill: an object of strings, numbers and booleans, or that as JSON in a string.',
  'x-ms-visibility': 'advanced',
})

const sessionId = optional(guid).meta({
  title: 'SessionId',
  description:
    'Session to go on in, so that earlier prompts and answers count; leave it empty for a new session.',
  'x-ms-visibility': 'important',
})

const plugin = z
  .string('must be the name of a plugin')
  .max(bounds.nameLength, `must be at most ${bounds.nameLength} characters`)
  .refine(isWhole, half)
  .meta({
    title: 'Plugin',
    description: 'Name of a plugin.',
    'x-ms-dynamic-values': {
      operationId: 'ListPlugins',
      'value-collection': 'value',
      'value-path': 'name',
      'value-title': 'displayName',
    },
  })

const skillsets = optionalArray(optionalInside(plugin), {
  max: maxPlugins,
  expected: 'an array of strings',
}).meta({
  title: 'Plugins',
  description:
    'Plugins that must be enabled in the workspace, by name. They are checked, not switched on: one that is off is an error.',
  'x-ms-visibility': 'advanced',
})

interface Asked {
  readonly PromptContent: string
  readonly SkillName?: string | undefined
  readonly SkillInputs?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** The length of what goes to Graph (docs/api.md#22-what-graph-is-asked). */
const askedLength = ({ PromptContent, SkillName, SkillInputs = {} }: Asked): number =>
  Object.entries(SkillInputs).reduce(
    (length, [key, value]) =>
      length + key.length + String(value).replaceAll('\r\n', '\n').length + 3,
    PromptContent.length + (SkillName === undefined ? 0 : SkillName.length + 2),
  )

/** What the keys of one prompt must keep together. */
function checkPrompt(prompt: Asked, context: z.RefinementCtx): void {
  if (prompt.SkillInputs !== undefined && prompt.SkillName === undefined)
    context.addIssue({ code: 'custom', path: ['SkillInputs'], message: 'must come with SkillName' })
  if (askedLength(prompt) > bounds.contentLength) {
    const message = `must be at most ${thousands(bounds.contentLength)} characters, skill and inputs included`
    context.addIssue({ code: 'custom', path: ['PromptContent'], message })
  }
}

/** The body of Submit. Unknown keys are refused. */
export const submitPrompt = boundedObject(
  {
    PromptContent: content,
    SessionId: sessionId,
    Skillsets: skillsets,
    SkillName: skillName,
    SkillInputs: skillInputs,
  },
  'a JSON object',
).superRefine(checkPrompt)

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

/** The query of Fetch answer; what a connector runtime adds is ignored. */
export const answerQuery = z.object({
  as: z.enum(['html', 'text', 'json'], required('html, text or json')).meta({
    title: 'Format',
    description:
      'The form of the answer: html for mail and chat, text without markup, or json for the JSON that the answer holds.',
    'x-ms-visibility': 'important',
  }),
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

export type SubmitPrompt = z.output<typeof submitPrompt>
export type RunPromptbook = z.output<typeof runPromptbook>

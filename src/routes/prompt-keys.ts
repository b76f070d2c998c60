import { z } from 'zod'
import { bounds, isBlank } from '../promptbooks/book.ts'
import { guid } from './id-schemas.ts'
import {
  optional,
  optionalArray,
  optionalInside,
  optionalRecord,
  required,
} from './optional-values.ts'

// The keys that bodies have in common, as the connector's reference page spells them. Titles and
// descriptions are what both documents and every designer show.

const maxPlugins = 50

/** Whether no half of a surrogate pair stands in it. */
export const isWhole = (text: string): boolean => text.isWellFormed()
/** The message of a text that is not whole. */
export const half = 'has half of a surrogate pair'

const thousands = (count: number): string => count.toLocaleString('en')

/** `PromptContent`. */
export const content = z
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

/** A value of an input. */
export const inputValue = z
  .union([z.string(), z.number(), z.boolean()], 'must be a string, a number or a boolean')
  .refine(
    value => typeof value !== 'string' || value.length <= bounds.valueLength,
    `must be at most ${thousands(bounds.valueLength)} characters`,
  )
  .refine(value => typeof value !== 'string' || isWhole(value), half)
  .meta({ maxLength: bounds.valueLength })

/** `SkillName`. */
export const skillName = optional(name).meta({
  title: 'Direct Skill Name',
  description: 'Skill to call by its name; it is written in front of the prompt.',
  'x-ms-visibility': 'advanced',
})

/** `SkillInputs`. */
export const skillInputs = optionalRecord(name, inputValue, {
  max: bounds.inputs,
  nameRule: `must be named with ${wordRule}`,
}).meta({
  title: 'Direct Skill Inputs',
  description:
    'Inputs of the direct skill: an object of strings, numbers and booleans, or that as JSON in a string.',
  'x-ms-visibility': 'advanced',
})

/** `SessionId`; its title is that of the reference page. */
export const sessionId = optional(guid).meta({
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

/** `Skillsets`. */
export const skillsets = optionalArray(optionalInside(plugin), {
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
export function checkPrompt(prompt: Asked, context: z.RefinementCtx): void {
  if (prompt.SkillInputs !== undefined && prompt.SkillName === undefined)
    context.addIssue({ code: 'custom', path: ['SkillInputs'], message: 'must come with SkillName' })
  if (askedLength(prompt) > bounds.contentLength) {
    const message = `must be at most ${thousands(bounds.contentLength)} characters, skill and inputs included`
    context.addIssue({ code: 'custom', path: ['PromptContent'], message })
  }
}

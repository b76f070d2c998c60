import { bounds, isBlank, sameNameKey, type Promptbook, type PromptbookPrompt } from './book.ts'

/** Why a promptbook cannot be filled with what a caller gives; holds no value of an input. */
export interface FillProblem {
  readonly code: 'Required' | 'InvalidValue' | 'UnknownKey'
  /** The input that it is about, as the caller or the file spells it. */
  readonly input?: string
  /** The prompt that it is about, from 0. */
  readonly prompt?: number
  readonly message: string
}

/** The prompts to ask, or why there are none. */
export type Filled =
  | { readonly prompts: readonly PromptbookPrompt[]; readonly problems?: never }
  | { readonly prompts?: never; readonly problems: readonly FillProblem[] }

/** What a caller gives for inputs, by their names in either case. */
export type InputValues = Readonly<Record<string, unknown>>

/** How many problems are told, at most. */
const maxProblems = 20

/** `<name>`: whatever stands between the two on one line and is no longer than a name. */
const placeholder = /<([^<>\r\n]{1,128})>/g

/** The texts of a prompt in which placeholders stand. */
const textsOf = ({ content, skillInputs = {} }: PromptbookPrompt): string[] => [
  content,
  ...Object.values(skillInputs).filter(value => typeof value === 'string'),
]

/** The names that stand as `<name>` in prompts, in lower case. */
export function namesIn(prompts: readonly PromptbookPrompt[]): Set<string> {
  const texts = prompts.flatMap(textsOf)
  return new Set(
    texts.flatMap(text =>
      Array.from(text.matchAll(placeholder), ([, name = '']) => sameNameKey(name)),
    ),
  )
}

/**
 * A text with each `<name>` replaced that has a value, in one pass: what a value brings along is
 * not looked at again. Undefined when it would be longer than `maxLength`; no more is built then.
 */
function fillText(
  text: string,
  values: ReadonlyMap<string, string>,
  maxLength: number,
): string | undefined {
  let filled = ''
  let from = 0
  for (const { 0: whole, 1: name = '', index } of text.matchAll(placeholder)) {
    const value = values.get(sameNameKey(name))
    if (value === undefined) continue
    filled += text.slice(from, index) + value
    from = index + whole.length
    if (filled.length > maxLength) return undefined
  }
  filled += text.slice(from)
  return filled.length > maxLength ? undefined : filled
}

/** A caller's value as text; undefined when it counts as not given, null when it is none. */
function valueText(value: unknown): string | undefined | null {
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value.isWellFormed() ? value : null
  if (typeof value === 'boolean') return String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : null
}

/** The values by the inputs' names in lower case. */
function readValues(
  { inputs, prompts }: Pick<Promptbook, 'inputs' | 'prompts'>,
  given: InputValues,
  problems: FillProblem[],
): Map<string, string> {
  const names = Object.keys(given)
  if (names.length > bounds.inputs) {
    const message = `has too many values: give it at most ${bounds.inputs}`
    problems.push({ code: 'InvalidValue', message })
    return new Map()
  }
  const known = new Set(inputs?.map(({ name }) => sameNameKey(name)) ?? namesIn(prompts))
  const spelled = new Map<string, string>()
  const values = new Map<string, string>()
  for (const input of names) {
    const key = sameNameKey(input)
    const value = valueText(given[input])
    if (value === undefined) continue
    const before = spelled.get(key)
    spelled.set(key, input)
    if (!known.has(key)) {
      const message = 'is no input: no prompt names it, or the promptbook does not declare it'
      problems.push({ code: 'UnknownKey', input, message })
    } else if (before !== undefined) {
      const message = `differs from "${before}" only in case: give one of them`
      problems.push({ code: 'InvalidValue', input, message })
    } else if (value === null) {
      const message = 'must be a string, a number or a boolean'
      problems.push({ code: 'InvalidValue', input, message })
    } else values.set(key, value)
  }
  for (const { name, required, default: fallback } of inputs ?? []) {
    const key = sameNameKey(name)
    if (spelled.has(key)) continue
    if (required && fallback === undefined)
      problems.push({ code: 'Required', input: name, message: 'is required' })
    else values.set(key, fallback ?? '')
  }
  return values
}

/** The length of what goes to Graph: `/{skill} {content}`, then one line `{key}: {value}` each. */
const askedLength = ({ content, skillName, skillInputs = {} }: PromptbookPrompt): number =>
  Object.entries(skillInputs).reduce(
    (length, [key, value]) => length + key.length + String(value).length + 3,
    content.length + (skillName === undefined ? 0 : skillName.length + 2),
  )

function fillPrompt(
  { content, skillName, skillInputs }: PromptbookPrompt,
  values: ReadonlyMap<string, string>,
): PromptbookPrompt | string {
  const filled = fillText(content, values, bounds.contentLength)
  const tooLong = `is too long once its inputs are filled in: at most ${bounds.contentLength.toLocaleString('en')} characters`
  if (filled === undefined) return tooLong
  if (isBlank(filled)) return 'is blank once its inputs are filled in'
  const filledInputs = Object.entries(skillInputs ?? {}).map(
    ([key, value]) =>
      [
        key,
        typeof value === 'string' ? fillText(value, values, bounds.valueLength) : value,
      ] as const,
  )
  const long = filledInputs.find(([, value]) => value === undefined)
  if (long) {
    const most = bounds.valueLength.toLocaleString('en')
    return `has a skill input that is too long once filled in: ${long[0]} has at most ${most} characters`
  }
  const prompt: PromptbookPrompt = {
    content: filled,
    ...(skillName !== undefined && { skillName }),
    ...(skillInputs && {
      skillInputs: Object.fromEntries(filledInputs) as Record<string, string | number | boolean>,
    }),
  }
  return askedLength(prompt) > bounds.contentLength ? tooLong : prompt
}

/**
 * Fills what a caller gives into the prompts of a promptbook, or of a list of prompts that declares
 * no inputs. Names match without regard to case; a `<word>` that is no input stays as it is; null
 * and `""` count as not given. Never throws.
 */
export function fill(
  book: Pick<Promptbook, 'inputs' | 'prompts'>,
  given: InputValues = {},
): Filled {
  const problems: FillProblem[] = []
  const values = readValues(book, given, problems)
  if (problems.length > 0) return { problems: problems.slice(0, maxProblems) }
  const prompts = book.prompts.flatMap((prompt, index) => {
    const filled = fillPrompt(prompt, values)
    if (typeof filled !== 'string') return [filled]
    problems.push({ code: 'InvalidValue', prompt: index, message: filled })
    return []
  })
  return problems.length > 0 ? { problems: problems.slice(0, maxProblems) } : { prompts }
}

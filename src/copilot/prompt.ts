import type { NewPrompt } from '../graph/client.ts'
import { isBlank, trimBlank } from '../promptbooks/book.ts'

/** What a caller asks. */
export interface Question {
  readonly content: string
  readonly skillName?: string | undefined
  readonly skillInputs?: Readonly<Record<string, string | number | boolean>> | undefined
}

/**
 * How a skill reaches Graph: written into the content, or as a prompt of type "skill" for the day
 * Graph accepts it.
 */
export type SkillMode = 'content' | 'native'

const maxDisplayNameLength = 80

/**
 * A session's name: the first line that is not blank, trimmed, at most 80 characters, no emoji cut
 * in half. Graph requires one.
 */
export function displayName(content: string): string {
  const lines = content.split(/[\r\n\u2028\u2029]+/)
  const line = trimBlank(lines.find(one => !isBlank(one)) ?? '')
  const cut = line.slice(0, maxDisplayNameLength)
  return cut.isWellFormed() ? cut : cut.replace(/[\uD800-\uDBFF]$/, '')
}

/** A value in one line, so that it cannot pose as another input: CRLF is one line break. */
const oneLine = (value: string): string => value.replace(/\r\n|[\p{Cc}\u2028\u2029]/gu, ' ')

/**
 * The prompt to create. Graph takes no skill, so a direct skill is written the way public workflows
 * do by hand: `/{SkillName} {PromptContent}`, then one line `{key}: {value}` per input.
 */
export function newPrompt(
  { content, skillName, skillInputs = {} }: Question,
  mode: SkillMode,
): NewPrompt {
  if (skillName === undefined) return { type: 'prompt', content }
  const inputs = Object.entries(skillInputs)
  if (mode === 'native') {
    const keyValuePairs = inputs.map(([name, value]) => ({ name, value: String(value) }))
    return { type: 'skill', content, skillName, inputs: { keyValuePairs } }
  }
  const lines = inputs.map(([key, value]) => `\n${key}: ${oneLine(String(value))}`)
  return { type: 'prompt', content: `/${skillName} ${content}${lines.join('')}` }
}

/**
 * The skill of a prompt: Graph's own word, else the one written at the start of its content, else
 * null. It is read off the content, so that every replica gives the same answer, also after a
 * restart.
 */
export const skillNameOf = (prompt: { skillName: string | null; content: string }): string | null =>
  prompt.skillName ?? /^\/([A-Z][A-Za-z0-9_.-]{0,127})(?=\s|$)/.exec(prompt.content)?.[1] ?? null

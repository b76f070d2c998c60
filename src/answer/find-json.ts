import MarkdownIt from 'markdown-it'
import { deepestJson, readJson } from './json-scanner.ts'

/** JSON that was found: its text as it stands in the answer, and its value. */
export interface FoundJson {
  readonly text: string
  readonly value: unknown
}

const openings = /[{[]/g

/** Only what is needed to find fences, in lists and quotations too. */
const fences = new MarkdownIt('zero').enable(['fence', 'list', 'blockquote'])
fences.core.ruler.enableOnly(['normalize', 'block'])

/** Whether brackets outside of strings go deeper than is read. Linear time. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let isString = false
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (isString && character === '\\') at += 1
    else if (character === '"') isString = !isString
    else if (isString) continue
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth > deepestJson) return true
  }
  return false
}

/** A text that is JSON as a whole, white space around it aside. */
export function wholeJson(text: string): FoundJson | undefined {
  const trimmed = text.trim()
  if (!/^[{["\d\-tfn]/.test(trimmed) || isTooDeep(trimmed)) return undefined
  try {
    return { text: trimmed, value: JSON.parse(trimmed) }
  } catch {
    return undefined
  }
}

/** The first fenced block that is JSON, whatever its info string says. */
function fencedJson(answer: string): FoundJson | undefined {
  if (!answer.includes('```') && !answer.includes('~~~')) return undefined
  for (const { type, content } of fences.parse(answer, {})) {
    const found = type === 'fence' ? wholeJson(content) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

/** The position after the bracket that closes the one at `start`, strings not looked at. */
function looseEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
    if (depth === 0) return at + 1
  }
  return text.length
}

/**
 * The outermost object or list in a text: of several that stand side by side the longest, of
 * equals the first, so that neither "[1]" nor an empty task box is taken for the record. What was
 * meant as JSON but is cut off or broken counts too, and then nothing is found: a part of a record
 * is not the record. Linear time.
 */
function outermostJson(text: string): FoundJson | undefined {
  let longest = { start: 0, end: 0 }
  openings.lastIndex = 0
  for (let found = openings.exec(text); found !== null; found = openings.exec(text)) {
    const start = found.index
    const { outcome, end, hasMember, again } = readJson(text, start)
    if (outcome === 'too deep') return undefined
    let next = end
    if (again !== undefined && outcome !== 'closed') next = again
    else {
      if (outcome === 'broken' && hasMember) next = looseEnd(text, start)
      const counts = outcome !== 'broken' || hasMember
      if (counts && next - start > longest.end - longest.start) longest = { start, end: next }
    }
    openings.lastIndex = next
  }
  return longest.end === 0 ? undefined : wholeJson(text.slice(longest.start, longest.end))
}

/**
 * The JSON in an answer: the whole answer if it is JSON, else its first fenced block that is, else
 * the outermost `{…}` or `[…]` in its text. Nothing that is nested deeper than 512 is JSON here.
 */
export function findJson(answer: string): FoundJson | undefined {
  return wholeJson(answer) ?? fencedJson(answer) ?? outermostJson(answer)
}

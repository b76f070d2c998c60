/** The deepest nesting that is read as JSON: enough for any record, far from any stack's end. */
export const deepestJson = 512

/** Where a reading of JSON ended, and why. */
export interface Reading {
  /** `closed`: a whole object or list. `cut`: the text ends inside of it. */
  readonly outcome: 'closed' | 'cut' | 'broken' | 'too deep'
  /** The position after the last character that was read. */
  readonly end: number
  /** Whether a member's name and its colon were read: it was meant as JSON. */
  readonly hasMember: boolean
  /**
   * Set when no more than one quoted text was read: the position inside of it, since the quote may
   * have been one of prose.
   */
  readonly again?: number
}

const quote = 0x22
const backslash = 0x5c

/** The position after a string's closing quote; -1 when the text ends, -2 when it is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit === quote) return at + 1
    if (unit < 0x20) return -2
    if (unit === backslash) at += 1
  }
  return -1
}

const blank = (unit: number): boolean =>
  unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09

const literal = /-?\d[\d.eE+-]*|true|false|null/y

/**
 * Reads an object or list of JSON from its opening bracket, without recursion and in linear time.
 * What numbers and escapes look like inside is left to `JSON.parse`.
 */
export function readJson(text: string, start: number): Reading {
  const open: ('}' | ']')[] = []
  let hasMember = false
  let firstString: number | undefined
  let isFirst = true
  let expects: 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' =
    'value'
  let at = start
  const stop = (outcome: Reading['outcome']): Reading => ({
    outcome,
    end: at,
    hasMember,
    ...(isFirst && firstString !== undefined && { again: firstString + 1 }),
  })

  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (blank(unit)) {
      at += 1
      continue
    }
    const character = text[at]
    const isValue: boolean = expects === 'value' || expects === 'value or end'
    if (isValue && (character === '{' || character === '[')) {
      if (open.length === deepestJson) return stop('too deep')
      open.push(character === '{' ? '}' : ']')
      expects = character === '{' ? 'name or end' : 'value or end'
      at += 1
    } else if (expects.endsWith('end') && character === open.at(-1)) {
      open.pop()
      at += 1
      if (open.length === 0) return stop('closed')
      expects = 'comma or end'
    } else if (unit === quote && (isValue || expects.startsWith('name'))) {
      firstString ??= at
      const end = endOfString(text, at)
      if (end < 0) return stop(end === -1 ? 'cut' : 'broken')
      at = end
      expects = isValue ? 'comma or end' : 'colon'
    } else if (expects === 'colon' && character === ':') {
      hasMember = true
      isFirst = false
      expects = 'value'
      at += 1
    } else if (expects === 'comma or end' && character === ',') {
      isFirst = false
      expects = open.at(-1) === '}' ? 'name' : 'value'
      at += 1
    } else if (isValue) {
      literal.lastIndex = at
      if (!literal.test(text)) return stop('broken')
      at = literal.lastIndex
      expects = 'comma or end'
    } else return stop('broken')
  }
  return stop('cut')
}

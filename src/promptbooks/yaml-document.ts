import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Node } from 'yaml'
import type { Path } from './file-problems.ts'

/** A text read as YAML, which JSON is too; or what keeps it from being read, and where. */
export interface YamlText {
  /** Strings, booleans and null; numbers are text, as they were written. */
  readonly value: unknown
  readonly problems: readonly { readonly line: number; readonly message: string }[]
  /** The line of what stands at a path, or of the last part of it that is there; from 1. */
  lineOf(path: Path): number
}

/**
 * Aliases in all, weighed with what they repeat: a file of a few lines cannot stand for millions of
 * values.
 */
const maxAliasCount = 100

/** The parser's own words can hold the text they are about: these cannot. */
const reasons: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'has an alias without its anchor: take it out, or quote a text that begins with "*"',
  BAD_INDENT: 'is indented otherwise, or a bracket is not closed: mend the indent or close it',
  BAD_SCALAR_START: 'begins with a character that means something else: put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'has ": " inside a text, or is indented otherwise: put the text in quotes, or mend the indent',
  DUPLICATE_KEY: 'has a key twice: take one out',
  MISSING_CHAR: 'misses a closing quote, bracket or colon: add it',
  MULTIPLE_DOCS: 'has several documents: write each promptbook in its own file',
  NON_STRING_KEY: 'has a key that is no text: put it in quotes',
  TAB_AS_INDENT: 'is indented with a tab: use blanks',
  TAG_RESOLVE_FAILED: 'has a tag: take it out, or quote a text that begins with "!"',
}

const reasonOf = (code: string): string =>
  reasons[code] ?? `is not YAML (${code}): mend the line, or put the text in quotes`

/** Numbers stay text, and no tag makes anything else of a text. */
const numbers = new Set(['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float'])

type Items = Node | null | undefined

/** Reads one document. Never throws: whatever is wrong is a problem with its line. */
export function readYaml(text: string): YamlText {
  const lines = new LineCounter()
  const lineAt = (offset: number | undefined): number => lines.linePos(offset ?? 0).line || 1
  const document = parseDocument(text, {
    schema: 'core',
    customTags: tags => tags.filter(tag => typeof tag === 'string' || !numbers.has(tag.tag)),
    resolveKnownTags: false,
    stringKeys: true,
    prettyErrors: false,
    lineCounter: lines,
    logLevel: 'error',
  })
  const problems = [...document.errors, ...document.warnings].map(({ code, pos }) => ({
    line: lineAt(pos[0]),
    message: reasonOf(code),
  }))
  const lineOf = (path: Path): number => {
    let node: Items = document.contents
    let line = lineAt(node?.range?.[0])
    for (const key of path) {
      if (isAlias(node)) break
      const pair = isMap(node)
        ? node.items.find(one => isScalar(one.key) && one.key.value === key)
        : undefined
      const item: unknown = isSeq(node) ? node.items[Number(key)] : pair?.value
      const place = (pair?.key ?? item) as Items
      if (!place) break
      line = lineAt(place.range?.[0])
      node = item as Items
    }
    return line
  }
  if (problems.length > 0) return { value: undefined, problems, lineOf }
  visit(document, {
    Pair(_index, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return
      const message = 'has the key "__proto__": take it out'
      problems.push({ line: lineAt(key.range?.[0]), message })
    },
  })
  try {
    return { value: document.toJS({ maxAliasCount }) as unknown, problems, lineOf }
  } catch (error) {
    // An alias of nothing, or too many of them.
    const message = /excessive alias/i.test(String(error))
      ? 'has too many aliases: write the text out'
      : reasonOf('BAD_ALIAS')
    return { value: undefined, problems: [...problems, { line: 1, message }], lineOf }
  }
}

import type { z } from 'zod'

/** Where in a file: the keys and indices that lead there. */
export type Path = readonly PropertyKey[]

/** One thing that is wrong in a file. */
export interface FileProblem {
  readonly path: Path
  /** What is wrong, a colon, and the way out. */
  readonly message: string
}

/** A key of the file in a message: its first characters, with no line break or quote in them. */
export const shown = (key: PropertyKey): string => {
  const plain = String(key)
  const cut = plain.length > 40 ? `${plain.slice(0, 40)}…` : plain
  return /^[\w$ .-]+…?$/.test(cut) ? cut : JSON.stringify(cut.toWellFormed())
}

/** A path as it is read: `prompts[2].content`; the whole file is `the file`. */
export const where = (path: Path): string =>
  path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`
    return before === '' ? shown(key) : `${before}.${shown(key)}`
  }, '') || 'the file'

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (found, key) =>
      typeof found === 'object' && found !== null && Object.hasOwn(found, key)
        ? (found as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  )

type Issue = z.core.$ZodIssue

/** Of alternatives, what is wrong with the one that was meant: the one of the value's own type. */
const meant = (alternatives: readonly Issue[][]): readonly Issue[] =>
  alternatives.find(
    issues => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  ) ?? []

/** What the schema has against a file, each with its place and the way out. Pure. */
export function problemsOf(
  issues: readonly Issue[],
  file: unknown,
  base: Path = [],
): FileProblem[] {
  return issues.flatMap((issue): FileProblem[] => {
    const path = [...base, ...issue.path]
    const value = at(file, path)
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => ({
        path: [...path, key],
        message: `${where([...path, key])} is unknown: take it out, or mend its spelling`,
      }))
    }
    if (issue.code === 'invalid_key') {
      const [first] = issue.issues
      return [{ path, message: `${where(path)} ${first?.message}` }]
    }
    if (issue.code === 'invalid_union') {
      const inner = meant(issue.errors)
      if (inner.length > 0) return problemsOf(inner, file, path)
    }
    const key = path.at(-1)
    if ((value === undefined || value === null) && typeof key === 'string') {
      const message = `${where(path.slice(0, -1))} has no ${shown(key)}: ${issue.message}`
      return [{ path, message }]
    }
    if (value === undefined || value === null)
      return [{ path, message: `${where(path)} is empty: ${issue.message}` }]
    return [{ path, message: `${where(path)} ${issue.message}` }]
  })
}

/** What an expression can read: functions by their lower-case names. */
export type Functions = Readonly<Record<string, (...values: any[]) => unknown>>

/**
 * Property look-up as the workflow engine does it: whatever the case of the key, and `body/name`
 * for a name in the body.
 */
export function lookUp(target: any, key: unknown): unknown {
  if (target === undefined || target === null) return null
  if (Array.isArray(target)) return target[Number(key)] ?? null
  const wanted = String(key).toLowerCase()
  const name = Object.keys(target).find(one => one.toLowerCase() === wanted)
  if (name !== undefined) return target[name]
  const slash = String(key).indexOf('/')
  return slash < 0
    ? null
    : lookUp(lookUp(target, String(key).slice(0, slash)), String(key).slice(slash + 1))
}

const token = /\s*(?:('(?:[^']|'')*')|(-?\d+(?:\.\d+)?)|([A-Za-z_$][\w$]*)|(\?\[|[[\](),]))/y

/**
 * Evaluates an expression of the workflow definition language: literals, function calls and
 * `['key']` or `?['key']` after them.
 */
function evaluateExpression(text: string, functions: Functions): unknown {
  let at = 0
  function next(): RegExpExecArray | undefined {
    token.lastIndex = at
    const match = token.exec(text)
    if (match) at = token.lastIndex
    return match ?? undefined
  }
  const peek = (mark: string) => text.slice(at).trimStart().startsWith(mark)

  function values(end: string): unknown[] {
    const list: unknown[] = []
    while (!peek(end)) {
      list.push(value())
      if (peek(',')) next()
    }
    next()
    return list
  }
  function primary(): unknown {
    const [whole = '', string, number, name] = next() ?? []
    if (string !== undefined) return string.slice(1, -1).replaceAll("''", "'")
    if (number !== undefined) return Number(number)
    if (name === undefined) throw new Error(`Cannot read the expression at "${whole}": ${text}`)
    if (!peek('(')) {
      const literals: Record<string, unknown> = { true: true, false: false, null: null }
      if (name in literals) return literals[name]
      throw new Error(`Cannot read the expression: no literal "${name}": ${text}`)
    }
    next()
    const known = functions[name.toLowerCase()]
    if (!known) throw new Error(`Cannot evaluate the expression: no function "${name}": ${text}`)
    return known(...values(')'))
  }
  function value(): unknown {
    let result = primary()
    while (peek('[') || peek('?[')) {
      next()
      const [key] = values(']')
      result = lookUp(result, key)
    }
    return result
  }

  const result = value()
  if (text.slice(at).trim() !== '')
    throw new Error(`Cannot read the expression after position ${at}: ${text}`)
  return result
}

/** What `@{...}` puts into a text. */
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value)

/**
 * Any part of a definition with its expressions evaluated: `@expression` whole, `@{expression}`
 * inside of a text.
 */
export function evaluate(part: any, functions: Functions): any {
  if (typeof part === 'string') {
    if (part.startsWith('@@')) return part.slice(1)
    if (/^@[^{]/.test(part)) return evaluateExpression(part.slice(1), functions)
    return part.replaceAll(/@\{([^}]*)\}/g, (_all, inner: string) =>
      asText(evaluateExpression(inner, functions)),
    )
  }
  if (Array.isArray(part)) return part.map(one => evaluate(one, functions))
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(
    Object.entries(part).map(([key, one]) => [key, evaluate(one, functions)]),
  )
}

/** The functions that need nothing of the run. */
export const pureFunctions: Functions = {
  equals: (a, b) => a === b,
  or: (...values) => values.some(Boolean),
  and: (...values) => values.every(Boolean),
  not: value => !value,
  concat: (...values) => values.join(''),
  coalesce: (...values) => values.find(value => value !== null) ?? null,
  last: (list: readonly unknown[] | null) => list?.at(-1) ?? null,
  length: (list: readonly unknown[]) => list.length,
  join: (list: readonly unknown[], delimiter: string) => list.join(delimiter),
  encodeuricomponent: value => encodeURIComponent(String(value)),
}

/** A query that cannot be answered: Graph's 400. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
}

export type Query = Readonly<Record<string, string | undefined>>

const property = (entity: object, name: string): unknown =>
  (entity as Record<string, unknown>)[name]

/** Only the properties that `$select` names, in the entity's own order. */
export function select(entity: object, query: Query): object {
  const wanted = query['$select']?.split(',').map(name => name.trim())
  return wanted
    ? Object.fromEntries(Object.entries(entity).filter(([name]) => wanted.includes(name)))
    : entity
}

const literal = `'((?:[^']|'')*)'`
const equals = new RegExp(`^(\\w+) eq (?:${literal}|(true|false))$`)
const contains = new RegExp(`^contains\\((\\w+), ?${literal}\\)$`)

const unquote = (quoted: string): string => quoted.replaceAll("''", "'")

/**
 * The forms of `$filter` that the reference pages show: `name eq 'x'`, `isEnabled eq true`,
 * `contains(name,'x')`.
 */
export function filter(query: Query): (entity: object) => boolean {
  const text = query['$filter']
  if (text === undefined) return () => true
  const [, name, quoted, truth] = equals.exec(text) ?? []
  if (name !== undefined) {
    const value = quoted === undefined ? truth === 'true' : unquote(quoted)
    return entity => property(entity, name) === value
  }
  const [, within, part = ''] = contains.exec(text) ?? []
  if (within !== undefined)
    return entity => String(property(entity, within)).includes(unquote(part))
  throw new QueryError('Invalid filter clause')
}

/** One page of a list. */
export interface Page {
  readonly items: readonly object[]
  /** How many items there are on all pages. */
  readonly count: number
  /** Opaque; the next page's `$skiptoken`. */
  readonly skipToken?: string
}

function wholeNumber(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new QueryError(`Invalid value for ${name}`)
  return Number(text)
}

/**
 * Filters, then cuts a page of at most `pageSize` (and `$top`) items at the place that `$skiptoken`
 * says.
 */
export function pageOf(list: readonly object[], query: Query, pageSize: number): Page {
  const all = list.filter(filter(query))
  const token = query['$skiptoken']
  const from =
    token === undefined ? 0 : wholeNumber(Buffer.from(token, 'base64url').toString(), '$skiptoken')
  const top = query['$top'] === undefined ? pageSize : wholeNumber(query['$top'], '$top')
  const to = from + Math.min(top, pageSize)
  const rest = to > from && to < all.length
  return {
    items: all.slice(from, to).map(entity => select(entity, query)),
    count: all.length,
    ...(rest && { skipToken: Buffer.from(String(to)).toString('base64url') }),
  }
}

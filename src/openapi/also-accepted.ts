import type { JsonSchema } from './json-schema.ts'

/**
 * What a schema accepts beside what it describes, as a zod schema's `meta` says it. Neither
 * document shows these keywords: each says the same in its own words.
 */
export interface AlsoAccepted {
  readonly 'x-null'?: true
  readonly 'x-empty-text'?: true
  readonly 'x-empty-array'?: true
  readonly 'x-empty-object'?: true
  /** The same as JSON in a string. */
  readonly 'x-json-text'?: true
  /** A text of these lengths. */
  readonly 'x-text'?: { readonly minLength: number; readonly maxLength: number }
  readonly [keyword: string]: unknown
}

const keywords = new Set([
  'x-null',
  'x-empty-text',
  'x-empty-array',
  'x-empty-object',
  'x-json-text',
  'x-text',
])

const uuid = '^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$'

/** A text that may be empty too: no shortest length, and a pattern that lets it pass. */
function orEmptyText({ minLength, format, pattern, ...rest }: JsonSchema): JsonSchema {
  const only = format === 'uuid' ? uuid : (pattern as string | undefined)
  return { ...rest, ...(only !== undefined && { pattern: `^$|${only}` }) }
}

/** The schema by itself, without what it accepts beside. Pure. */
export const withoutAlso = (schema: JsonSchema): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.has(keyword)))

/**
 * A schema and what it accepts beside, as a union of types. Keywords of one type say nothing of
 * another, so that the added ones stand beside those that are there. Pure.
 */
export function withAlso(schema: JsonSchema): JsonSchema {
  const also: AlsoAccepted = schema
  const { type, ...rest } = withoutAlso(schema)
  if (type === undefined) return rest
  const types = new Set([type].flat())
  const isText = types.has('string')
  let widened: JsonSchema = rest
  if (also['x-empty-text'] && isText) widened = orEmptyText(widened)
  if (also['x-empty-text'] && !isText) widened = { ...widened, maxLength: 0 }
  if (also['x-text']) widened = { ...widened, ...also['x-text'] }
  if (also['x-empty-text'] || also['x-text'] || also['x-json-text']) types.add('string')
  if (also['x-empty-array']) {
    types.add('array')
    widened = { ...widened, maxItems: 0 }
  }
  if (also['x-empty-object'] && !types.has('object')) {
    types.add('object')
    widened = { ...widened, maxProperties: 0 }
  }
  if (also['x-null']) types.add('null')
  return { type: types.size === 1 ? [...types].join('') : [...types], ...widened }
}

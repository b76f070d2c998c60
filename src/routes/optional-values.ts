import { z } from 'zod'
import type { AlsoAccepted } from '../openapi/also-accepted.ts'

// What counts as "not there" in a body (docs/api.md#21-body), and how much of a body is looked at.
// Each rule says by its meta what the documents must allow for it.

/** The message of a value that must be there and of this kind. */
export const required = (expected: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    input === undefined ? 'is required' : `must be ${expected}`,
})

/** At most so many problems of a body are looked for: as many as an error shows. */
const maxProblems = 20

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const withoutNothing = (value: unknown): unknown =>
  value === null || value === '' ? undefined : value

/** As `withoutNothing`, and an empty array or object too. */
function withoutEmpty(value: unknown): unknown {
  const empty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return empty ? undefined : withoutNothing(value)
}

const orNothing: AlsoAccepted = { 'x-null': true, 'x-empty-text': true }
const orEmpty: AlsoAccepted = { ...orNothing, 'x-empty-array': true, 'x-empty-object': true }

/** An optional key: clients send `null` and `""` for what they leave out. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(withoutNothing, schema.optional()).meta({ ...orNothing })

/** What stands inside of an array or object, where anything empty counts as not there. */
export const optionalInside = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(withoutEmpty, schema.optional()).meta({ ...orEmpty })

/**
 * An optional array of at most `max` items; its length is looked at before any item. Items that
 * count as not there are left out, and an array of nothing else counts as absent.
 */
export const optionalArray = <Schema extends z.ZodType>(
  item: Schema,
  { max, expected }: { readonly max: number; readonly expected: string },
) =>
  z
    .preprocess(
      (value, context) => {
        if (!Array.isArray(value) || value.length <= max) return withoutNothing(value)
        context.addIssue(`must have at most ${max} items`)
        return z.NEVER
      },
      z.array(item, `must be ${expected}`).max(max).optional(),
    )
    .transform(items => {
      const there = items?.filter(one => one !== undefined) as
        | NonNullable<z.output<Schema>>[]
        | undefined
      return there?.length ? there : undefined
    })
    .meta({ ...orNothing })

/** An object, or that as JSON in a string; anything else as it is. */
function readObject(value: unknown): unknown {
  if (typeof value !== 'string' || value === '') return withoutNothing(value)
  try {
    const parsed: unknown = JSON.parse(value)
    return typeof parsed === 'string' ? value : withoutNothing(parsed)
  } catch {
    return value
  }
}

/**
 * An optional object of at most `max` values, or that as JSON in a string; the keys are counted
 * before one is looked at. Empty values are left out, and an object of nothing else counts as
 * absent.
 */
export const optionalRecord = <Value extends z.ZodType>(
  name: z.ZodString,
  value: Value,
  { max, nameRule }: { readonly max: number; readonly nameRule: string },
) =>
  z
    .preprocess(
      (given, context) => {
        const object = readObject(given)
        if (!isObject(object)) return object
        const count = Object.keys(object).length
        if (count <= max && !Object.hasOwn(object, '__proto__')) return object
        context.addIssue(
          count > max ? `must have at most ${max} values` : 'must not have a value "__proto__"',
        )
        return z.NEVER
      },
      z
        .record(name, optionalInside(value), {
          error: ({ code }) =>
            code === 'invalid_key' ? nameRule : 'must be an object, or one as JSON in a string',
        })
        .optional(),
    )
    .transform(values => {
      const there = Object.entries(values ?? {}).filter(([, one]) => one !== undefined)
      return there.length > 0
        ? (Object.fromEntries(there) as Record<string, z.output<Value>>)
        : undefined
    })
    .meta({ 'x-null': true, 'x-json-text': true, maxProperties: max } satisfies AlsoAccepted)

/** A body: an object that has no other keys; of the unknown ones, 20 are told at most. */
export const boundedObject = <Shape extends z.ZodRawShape>(shape: Shape, expected: string) =>
  z.preprocess(
    (value, context) => {
      if (!isObject(value)) return value
      const unknown = Object.keys(value).filter(key => !Object.hasOwn(shape, key))
      if (unknown.length <= maxProblems) return value
      context.addIssue({ code: 'unrecognized_keys', keys: unknown.slice(0, maxProblems) })
      return z.NEVER
    },
    z.strictObject(shape, required(expected)),
  )

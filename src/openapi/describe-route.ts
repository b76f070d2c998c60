import type { FastifySchema } from 'fastify'
import type { z } from 'zod'
import { catalogue, type ErrorCode } from '../errors.ts'
import { requestSchema, type JsonSchema } from './json-schema.ts'
import type { ResponseDescription, RouteDescription } from './route-description.ts'

/** How one of the two documents differs from the other. */
export interface Flavour {
  /** Whether an operation stands in the document. */
  shows(operation: RouteDescription): boolean
  /** What stands at the operation, beside what both documents have. */
  operation(operation: RouteDescription): object
  /** A schema in the document's words. */
  body(schema: JsonSchema): JsonSchema
  /** A parameter in the document's words. */
  parameter(schema: JsonSchema, where: 'path' | 'header'): JsonSchema
  /** The schema of a response's body; `undefined` where the document has none. */
  response(status: number, name: string): JsonSchema | undefined
}

const retryAfter = {
  'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' },
} as const

/** The responses of an operation's errors, by status. */
function errorResponses(codes: readonly ErrorCode[]): [number, ResponseDescription][] {
  const statuses = [...new Set(codes.map(code => catalogue[code].status))].toSorted((a, b) => a - b)
  return statuses.map(status => {
    const named = codes.filter(code => catalogue[code].status === status)
    const headers = status === 429 || status === 503 ? retryAfter : undefined
    return [status, { description: `Error: ${named.join(', ')}.`, ...(headers && { headers }) }]
  })
}

/** A route's zod schemas and texts as @fastify/swagger reads them. */
export function describeRoute(
  schema: FastifySchema,
  flavour: Flavour,
  names: ReadonlyMap<unknown, string>,
): object {
  const { operation, params, body, response = {} } = schema
  if (!operation || !flavour.shows(operation)) return { hide: true }

  const parameters = (zod: z.ZodType, where: 'path' | 'header') => {
    const { properties = {}, ...rest } = requestSchema(zod)
    const changed = Object.entries(properties).map(([name, one]) => [
      name,
      flavour.parameter(one, where),
    ])
    return { ...rest, properties: Object.fromEntries(changed) as Record<string, JsonSchema> }
  }
  const responses = [
    ...Object.entries(operation.responses).map(([status, one]) => [Number(status), one] as const),
    ...errorResponses(operation.errors),
  ].map(([status, { description, headers }]) => {
    const zod = (response as Record<number, unknown>)[status]
    const name = zod === undefined ? 'ErrorAnswer' : String(names.get(zod))
    const content = flavour.response(status, name) ?? { type: 'null' }
    return [
      status,
      { ...content, 'x-response-description': description, ...(headers && { headers }) },
    ]
  })

  const { operationId, summary, description, tag, headers, example } = operation
  return {
    operationId,
    summary,
    description,
    tags: [tag],
    ...flavour.operation(operation),
    ...(params !== undefined && { params: parameters(params as z.ZodType, 'path') }),
    ...(headers !== undefined && { headers: parameters(headers, 'header') }),
    ...(body !== undefined && {
      body: flavour.body({ ...requestSchema(body as z.ZodType), examples: [example] }),
    }),
    response: Object.fromEntries(responses),
  }
}

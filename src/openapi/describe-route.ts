import type { FastifySchema } from 'fastify'
import type { z } from 'zod'
import { catalogue, type ErrorCode } from '../errors.ts'
import { errorExampleReferences } from './error-examples.ts'
import { requestSchema, type JsonSchema } from './json-schema.ts'
import type { Examples, ResponseHeader, RouteDescription } from './route-description.ts'

/** Where a parameter stands. */
export type ParameterPlace = 'path' | 'header' | 'query'

/** Examples of a body, or references to them, by name. */
export type ResponseExamples = Examples | ReturnType<typeof errorExampleReferences>

/** How one of the two documents differs from the other. */
export interface Flavour {
  /** Whether an operation stands in the document. */
  shows(operation: RouteDescription): boolean
  /** What stands at the operation, beside what both documents have. */
  operation(operation: RouteDescription): object
  /** A body's schema in the document's words, with bodies that work. */
  body(schema: JsonSchema, examples: Examples): JsonSchema
  /** A parameter in the document's words. */
  parameter(schema: JsonSchema, where: ParameterPlace): JsonSchema
  /** The schema of a response's body; `undefined` where the document has none. */
  response(status: number, name: string, examples: ResponseExamples): JsonSchema | undefined
}

interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, ResponseHeader>>
  readonly examples?: ResponseExamples
}

const retryAfter = {
  'Retry-After': { type: 'integer', description: 'Seconds to wait before the next attempt.' },
} as const

/** The responses of an operation's errors, by status. */
function errorResponses(codes: readonly ErrorCode[]): [number, Response][] {
  const statuses = [...new Set(codes.map(code => catalogue[code].status))].toSorted((a, b) => a - b)
  return statuses.map(status => {
    const named = codes.filter(code => catalogue[code].status === status)
    const headers = status === 429 || status === 503 ? retryAfter : undefined
    return [
      status,
      {
        description: `Error: ${named.join(', ')}.`,
        ...(headers && { headers }),
        examples: errorExampleReferences(named),
      },
    ]
  })
}

/** A route's zod schemas and texts as @fastify/swagger reads them. */
export function describeRoute(
  schema: FastifySchema,
  flavour: Flavour,
  names: ReadonlyMap<unknown, string>,
): object {
  const { operation, params, querystring, body, response = {} } = schema
  if (!operation || !flavour.shows(operation)) return { hide: true }

  const parameters = (zod: unknown, where: ParameterPlace) => {
    const { properties = {}, ...rest } = requestSchema(zod as z.ZodType)
    const changed = Object.entries(properties).map(([name, one]) => [
      name,
      flavour.parameter(one, where),
    ])
    return { ...rest, properties: Object.fromEntries(changed) as Record<string, JsonSchema> }
  }
  const described: [number, Response][] = [
    ...Object.entries(operation.responses).map(([status, one]): [number, Response] => [
      Number(status),
      one,
    ]),
    ...errorResponses(operation.errors),
  ]
  const responses = described.map(([status, { description, headers, examples = {} }]) => {
    const zod = (response as Record<number, unknown>)[status]
    const name = zod === undefined ? 'ErrorAnswer' : String(names.get(zod))
    const content = flavour.response(status, name, examples) ?? { type: 'null' }
    return [
      status,
      { ...content, 'x-response-description': description, ...(headers && { headers }) },
    ]
  })

  const { operationId, summary, description, tag, headers, examples = {} } = operation
  return {
    operationId,
    summary,
    description,
    tags: [tag],
    ...flavour.operation(operation),
    ...(params !== undefined && { params: parameters(params, 'path') }),
    ...(querystring !== undefined && { querystring: parameters(querystring, 'query') }),
    ...(headers !== undefined && { headers: parameters(headers, 'header') }),
    ...(body !== undefined && { body: flavour.body(requestSchema(body as z.ZodType), examples) }),
    response: Object.fromEntries(responses),
  }
}

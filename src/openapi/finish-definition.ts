import { toSwagger } from './definition.ts'
import { referredTo, type JsonSchema } from './json-schema.ts'

export type Json = Record<string, unknown>

/** Nothing may stand beside a `$ref`, whatever the generator puts there. */
function bareReferences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bareReferences)
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value) return { $ref: value.$ref }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, bareReferences(one)]))
}

interface Parameter extends Json {
  readonly in: string
}

/** @fastify/swagger leaves out that a body is required, and what a designer calls it. */
const completeBody = (parameter: Parameter): Parameter =>
  parameter.in === 'body'
    ? {
        ...parameter,
        description: 'What to ask, and how to run it.',
        required: true,
        'x-ms-summary': 'Prompt',
        'x-ms-visibility': 'important',
      }
    : parameter

/** The members of the definition in the order of published connectors. */
const order = [
  'swagger',
  'info',
  'host',
  'basePath',
  'schemes',
  'consumes',
  'produces',
  'paths',
  'definitions',
  'securityDefinitions',
  'security',
  'tags',
  'x-ms-connector-metadata',
]

/** A picker whose list this service does not have is left out. */
function knownPickers(value: unknown, operationIds: ReadonlySet<unknown>): unknown {
  if (Array.isArray(value)) return value.map(one => knownPickers(one, operationIds))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(
    ([key, one]) => !key.startsWith('x-ms-dynamic-') || operationIds.has((one as Json).operationId),
  )
  return Object.fromEntries(entries.map(([key, one]) => [key, knownPickers(one, operationIds)]))
}

/** What the generator made, as the platform's validators want it. Pure. */
export function finishDefinition(generated: Json): Json {
  const { paths: generatedPaths, definitions } = bareReferences(generated) as {
    paths: Record<string, Record<string, Json>>
    definitions: Json
  }
  const methods = Object.values(generatedPaths).flatMap(Object.values) as Json[]
  const described = Object.fromEntries(
    Object.entries(generatedPaths).map(([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(
          ([method, { tags, parameters, responses, ...operation }]) => [
            method,
            {
              ...operation,
              parameters: ((parameters as Parameter[]) ?? []).map(completeBody),
              responses,
            },
          ],
        ),
      ),
    ]),
  )
  const paths = knownPickers(described, new Set(methods.map(({ operationId }) => operationId)))
  const schemas = Object.entries(referredTo(definitions, paths, '#/definitions/'))
  const whole: Json = {
    ...generated,
    paths,
    definitions: Object.fromEntries(
      schemas.map(([name, schema]) => [name, toSwagger(schema as JsonSchema)]),
    ),
  }
  return Object.fromEntries(order.filter(key => key in whole).map(key => [key, whole[key]]))
}

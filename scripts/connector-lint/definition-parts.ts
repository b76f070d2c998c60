import type { Json } from './rule.ts'

type Parts = [where: string, part: Json][]

const isObject = (value: Json): boolean => typeof value === 'object' && value !== null

/** Every operation, by its id. */
export const operations = ({ paths }: Json): Parts =>
  Object.values(paths).flatMap((methods: Json) =>
    Object.values(methods).map((operation: Json): [string, Json] => [
      operation.operationId,
      operation,
    ]),
  )

/** Every parameter of every operation. */
export const parameters = (definition: Json): Parts =>
  operations(definition).flatMap(([id, operation]) =>
    operation.parameters.map((parameter: Json): [string, Json] => [
      `${id} ${parameter.name}`,
      parameter,
    ]),
  )

/** Every response of every operation. */
export const responses = (definition: Json): Parts =>
  operations(definition).flatMap(([id, operation]) =>
    Object.entries(operation.responses).map(([status, response]): [string, Json] => [
      `${id} ${status}`,
      response,
    ]),
  )

function within(where: string, schema: Json): Parts {
  const { properties = {}, items, additionalProperties } = schema
  return [
    [where, schema],
    ...Object.entries(properties).flatMap(([name, one]) => within(`${where}.${name}`, one)),
    ...(items ? within(`${where}[]`, items) : []),
    ...(isObject(additionalProperties) ? within(`${where}{}`, additionalProperties) : []),
  ]
}

/** Every schema, those inside of others included. */
export const schemas = (definition: Json): Parts => [
  ...Object.entries(definition.definitions).flatMap(([name, schema]) => within(name, schema)),
  ...[...parameters(definition), ...responses(definition)].flatMap(([where, { schema }]) =>
    schema ? within(where, schema) : [],
  ),
]

/** Every property of every schema, whatever its depth. */
export const properties = (definition: Json): Parts =>
  schemas(definition).flatMap(([where, schema]) =>
    Object.entries(schema.properties ?? {}).map(([name, one]): [string, Json] => [
      `${where}.${name}`,
      one,
    ]),
  )

/** Every object in the document that is not a map of names. */
export function objects(value: Json, where = ''): Parts {
  if (!isObject(value)) return []
  return [
    [where, value],
    ...Object.entries(value).flatMap(([key, one]) =>
      objects(one, where === '' ? key : `${where}.${key}`),
    ),
  ]
}

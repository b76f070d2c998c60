import { z } from 'zod'

/** A JSON schema, as far as documents need to look into it. */
export interface JsonSchema {
  $id?: string
  $ref?: string
  type?: string | string[]
  title?: string
  description?: string
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  additionalProperties?: boolean | JsonSchema
  [keyword: string]: unknown
}

/** zod adds a pattern beside each format: it tells a reader no more. */
function tidy({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
}

const settings = { target: 'draft-7', io: 'input', override: tidy } as const

/** What a request may carry, as a JSON schema. */
export function requestSchema(schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, settings)
  return rest as JsonSchema
}

/** A document of responses does not forbid what later versions may add. */
const open = ({ additionalProperties, ...rest }: JsonSchema): JsonSchema =>
  additionalProperties === false
    ? rest
    : { ...rest, ...(additionalProperties !== undefined && { additionalProperties }) }

/** Answers by their names, each a schema with `$id` that refers to the others as `Name#`. */
export function namedSchemas(named: Readonly<Record<string, z.ZodType>>): JsonSchema[] {
  const registry = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { ...settings, uri: id => `${id}#` })
  return Object.entries(schemas).map(([$id, { $schema, ...schema }]) => ({
    ...mapSchemas(schema as JsonSchema, open),
    $id,
  }))
}

/** The schema with `change` applied to it and to every schema in it. */
export function mapSchemas(
  schema: JsonSchema,
  change: (schema: JsonSchema) => JsonSchema,
): JsonSchema {
  const { properties, items, additionalProperties } = schema
  const inner = (one: JsonSchema) => mapSchemas(one, change)
  return change({
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, inner(one)]),
      ),
    }),
    ...(items && { items: inner(items) }),
    ...(typeof additionalProperties === 'object' && {
      additionalProperties: inner(additionalProperties),
    }),
  })
}

/** The schemas that something refers to as `prefix` and their name, directly or by another one. */
export function referredTo<Schema>(
  schemas: Readonly<Record<string, Schema>>,
  by: unknown,
  prefix: string,
): Record<string, Schema> {
  const found = new Set<string>()
  const look = (value: unknown): void => {
    const text = JSON.stringify(value)
    for (const [name, schema] of Object.entries(schemas)) {
      if (found.has(name) || !text.includes(`"${prefix}${name}"`)) continue
      found.add(name)
      look(schema)
    }
  }
  look(by)
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => found.has(name)))
}

// What the Logic Apps designer calls the values of a response, as its own parser puts the names
// together.

type Schema = any

const joined = (...titles: (string | undefined)[]): string => titles.filter(Boolean).join(' ')

/**
 * The names of a schema's values by their keys. An object puts its title before the names of all
 * that is in it, an array puts its own before those of its items unless these have one.
 */
export function tokenNames(definition: Schema, schema: Schema, key = '', prefix = ''): string[] {
  const { $ref } = schema
  if ($ref !== undefined) {
    const name = String($ref).replace('#/definitions/', '')
    return tokenNames(definition, definition.definitions[name], key, prefix)
  }
  const { type, title, properties, items } = schema
  if (type === 'object' && properties !== undefined) {
    return Object.entries(properties).flatMap(([name, one]) =>
      tokenNames(definition, one, name, joined(prefix, title)),
    )
  }
  const own = joined(prefix, title ?? key)
  if (type !== 'array') return [own]
  const item = items.$ref ? definition.definitions[items.$ref.replace('#/definitions/', '')] : items
  const inside = joined(prefix, item.title === undefined ? title : undefined)
  return [own, ...tokenNames(definition, item, 'Item', inside)]
}

/** The names of an operation's values. */
export const tokensOf = (definition: Schema, operationId: string): string[] => {
  const operations: Schema[] = Object.values<Schema>(definition.paths).flatMap(Object.values)
  const { responses } = operations.find(one => one.operationId === operationId)
  return tokenNames(definition, responses['200'].schema)
}

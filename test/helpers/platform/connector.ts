import type { ActionRequest } from './http-action.ts'

export type Json = any

/** The operations that a definition declares at a path. */
export function pathOf({ paths }: Json, path: string): Json {
  const template = Object.keys(paths).find(one =>
    new RegExp(`^${one.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  )
  return template === undefined ? undefined : paths[template]
}

/** A Logic Apps action of a connector: method, path and headers stand in the action. */
export const apiConnectionRequest =
  (prefix: string) =>
  ({ method, path, headers = {}, body }: Json): ActionRequest => ({
    method,
    url: prefix + path,
    headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
    body,
  })

/** A body from parameters such as `body/Prompt` and `body/Inputs/Name`: a slash goes one deeper. */
function nested(parameters: Json): Json {
  const body: Json = {}
  for (const [key, value] of Object.entries(parameters)) {
    const [where, ...path] = key.split('/')
    const name = path.pop()
    if (where !== 'body' || name === undefined) continue
    const target = path.reduce((at, step) => (at[step] ??= {}), body)
    target[name] = value
  }
  return body
}

/**
 * A Power Automate action of a connector: names an operation of the definition, and its parameters
 * by their names.
 */
export const openApiConnectionRequest =
  (prefix: string, { paths }: Json) =>
  ({ host, parameters }: Json): ActionRequest => {
    for (const [template, methods] of Object.entries<Json>(paths)) {
      for (const [method, operation] of Object.entries<Json>(methods)) {
        if (operation.operationId !== host.operationId) continue
        const valueOf = ({ in: where, name }: Json): [string, Json] => [
          name,
          where === 'body' ? nested(parameters) : parameters[name],
        ]
        const given = (where: string): Record<string, Json> =>
          Object.fromEntries(
            operation.parameters
              .filter((one: Json) => one.in === where)
              .map(valueOf)
              .filter(([, value]: [string, Json]) => value !== undefined),
          )
        const [body] = Object.values(given('body'))
        return {
          method,
          url:
            prefix +
            template.replaceAll(/\{(\w+)\}/g, (_all, name) =>
              encodeURIComponent(given('path')[name]),
            ),
          headers: { ...given('header'), ...(body && { 'Content-Type': 'application/json' }) },
          body,
        }
      }
    }
    throw new Error(`Cannot call "${host.operationId}": the definition has no such operation`)
  }

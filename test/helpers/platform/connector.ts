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
          where === 'body'
            ? Object.fromEntries(
                Object.keys(parameters)
                  .filter(key => key.startsWith('body/'))
                  .map(key => [key.slice('body/'.length), parameters[key]]),
              )
            : parameters[name],
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

interface Response {
  readonly content?: unknown
}

interface Operation {
  readonly responses?: Readonly<Record<string, Response>>
}

function withoutErrorBody([status, response]: [string, Response]): [string, Response] {
  const { content: _content, ...rest } = response
  return [status, Number(status) < 400 ? response : rest]
}

/**
 * The OpenAPI document as the reference page shows it. An error has its codes only, since a page
 * that repeats the one error body at each status is long and says no more; and the server is
 * relative to /docs/json, so that the page calls the very host it came from. Pure.
 */
export function forPage(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const paths = Object.entries(document['paths'] as Record<string, Record<string, Operation>>).map(
    ([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, { responses = {}, ...operation }]) => [
          method,
          {
            ...operation,
            responses: Object.fromEntries(Object.entries(responses).map(withoutErrorBody)),
          },
        ]),
      ),
    ],
  )
  return { ...document, servers: [{ url: '..' }], paths: Object.fromEntries(paths) }
}

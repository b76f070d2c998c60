// What the collections for API tools ask for: each operation of the OpenAPI document once, in an
// order in which each has what it needs from those before.

/** A JSON document. */
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any

/** A value that a later request needs, from a response of an earlier one. */
export interface Capture {
  /** Name of the path parameter. */
  readonly parameter: string
  /** Where in the body, as keys and indices; or the header whose URL has it. */
  readonly from: readonly (string | number)[] | 'location'
}

/** One request of a collection. */
export interface ClientRequest {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly tag: string
  readonly method: string
  /** With `{parameter}` as the document writes it. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Header parameters, with a description each; none is sent unless somebody wants it. */
  readonly headers: readonly (readonly [name: string, description: string])[]
  readonly body?: object | undefined
  readonly captures: readonly Capture[]
}

const bodyIds = (...parameters: string[]): Capture[] =>
  parameters.map(parameter => ({ parameter, from: [parameter] }))

const captures = new Map<string, Capture[]>([
  ['SubmitPrompt', bodyIds('sessionId', 'promptId', 'evaluationId')],
  ['RunPromptbook', [{ parameter: 'runId', from: 'location' }]],
  ['ListPromptbooks', [{ parameter: 'promptbookId', from: ['value', 0, 'id'] }]],
])

/** Which operation's response has the value of a path parameter. */
export const captureOf = (
  requests: readonly ClientRequest[],
  parameter: string,
): { readonly operationId: string; readonly capture: Capture } | undefined => {
  for (const { operationId, captures: own } of requests) {
    const capture = own.find(one => one.parameter === parameter)
    if (capture) return { operationId, capture }
  }
  return undefined
}

const parametersIn = (operation: Json, where: string): Json[] =>
  (operation.parameters ?? []).filter((one: Json) => one.in === where)

function toRequest(path: string, method: string, operation: Json): ClientRequest {
  const { examples = {} } = operation.requestBody?.content['application/json'] ?? {}
  const [example] = Object.values(examples) as { value: object }[]
  return {
    operationId: operation.operationId,
    summary: operation.summary,
    description: operation.description,
    tag: operation.tags[0],
    method: method.toUpperCase(),
    path,
    query: parametersIn(operation, 'query').map(({ name, schema }) => [name, schema.enum[0]]),
    headers: parametersIn(operation, 'header').map(({ name, description }) => [name, description]),
    body: example?.value,
    captures: captures.get(operation.operationId) ?? [],
  }
}

/** Every operation of an OpenAPI document as a request, those first that later ones build on. */
export function clientRequests(openApi: Json): ClientRequest[] {
  const all = Object.entries<Json>(openApi.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => toRequest(path, method, operation)),
  )
  return [
    ...all.filter(one => one.captures.length > 0),
    ...all.filter(one => one.captures.length === 0),
  ]
}

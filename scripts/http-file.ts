import { captureOf, clientRequests, type ClientRequest } from './client-requests.ts'

/** A reference to a value in the response of a request by its name. */
function reference(requests: readonly ClientRequest[], parameter: string): string {
  const found = captureOf(requests, parameter)
  if (!found || found.capture.from === 'location') return `{{${parameter}}}`
  const path = found.capture.from.map(key => (typeof key === 'number' ? `[${key}]` : `.${key}`))
  return `{{${found.operationId}.response.body.$${path.join('')}}}`
}

/** A run's own URLs come from the headers of the 202 that began it. */
const runUrl = (path: string): string =>
  `{{RunPromptbook.response.headers.${path.endsWith('/operation') ? 'Operation-Location' : 'Location'}}}`

function toText(request: ClientRequest, requests: readonly ClientRequest[]): string {
  const { operationId, summary, method, path, query, headers, body } = request
  const url = path.includes('{runId}')
    ? runUrl(path)
    : `{{service}}${path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => reference(requests, name))}`
  const search = query.map(([key, value], at) => `${at ? '&' : '?'}${key}=${value}`).join('')
  return [
    `### ${summary}`,
    `# @name ${operationId}`,
    `${method} ${url}${search}`,
    ...(headers.length > 0 && body ? ['Prefer: respond-async'] : []),
    ...(body ? ['Content-Type: application/json', '', JSON.stringify(body, undefined, 2)] : []),
    '',
  ].join('\n')
}

/**
 * An .http file of an OpenAPI document, as the REST clients of Visual Studio Code and Visual Studio
 * read it. Send the first request first: the others use its ids. Pure.
 */
export function httpFile(openApi: object): string {
  const requests = clientRequests(openApi)
  return [
    '# Send "Submit a Security Copilot prompt" first: the requests after it use its ids.',
    "# Elsewhere than on the sandbox, add a line to each: Authorization: Bearer a user's token.",
    '',
    '@service = http://localhost:8080',
    '',
    ...requests.map(request => toText(request, requests)),
  ].join('\n')
}

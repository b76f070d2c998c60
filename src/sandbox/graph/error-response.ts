import type { Failure } from './markers.ts'

/** An answer that is not a success, in Graph's shape unless `text` says otherwise. */
export class GraphError extends Error {
  override readonly name = 'GraphError'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

const codes: Readonly<Record<number, readonly [string, string]>> = {
  400: ['BadRequest', 'The request is not valid.'],
  401: [
    'InvalidAuthenticationToken',
    'Access token is empty, expired or not meant for Microsoft Graph.',
  ],
  403: ['Forbidden', 'The caller lacks a permission or a Security Copilot role.'],
  404: ['NotFound', 'The resource does not exist.'],
  405: ['MethodNotAllowed', 'The method is not published for this resource.'],
  429: ['TooManyRequests', 'Too many requests.'],
  503: ['ServiceUnavailable', 'The service is unavailable.'],
  504: ['GatewayTimeout', 'The service did not answer in time.'],
}

/** An error by its status; the rest is the real capture's `UnknownError` with an empty message. */
export function graphError(
  status: number,
  headers: Readonly<Record<string, string>> = {},
): GraphError {
  const [code, message] = codes[status] ?? ['UnknownError', '']
  return new GraphError(status, code, message, headers)
}

/**
 * A claims challenge as Conditional Access sends it; the claims ask for authentication context
 * "c1".
 */
function claimsChallenge(): GraphError {
  const claims = Buffer.from('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').toString(
    'base64',
  )
  const authority = 'https://login.microsoftonline.com/common/oauth2/authorize'
  return graphError(401, {
    'www-authenticate': `Bearer realm="", authorization_uri="${authority}", error="insufficient_claims", claims="${claims}"`,
  })
}

/**
 * What a script's failure looks like on the wire; `undefined` for those that are no Graph error at
 * all.
 */
export function scriptedError(failure: Failure): GraphError | undefined {
  if (failure.kind === 'claims') return claimsChallenge()
  if (failure.kind !== 'status') return undefined
  return graphError(
    failure.status,
    failure.retryAfter === undefined ? {} : { 'retry-after': failure.retryAfter },
  )
}

/** Answers that are not Graph's: a proxy's page, JSON of another shape, a redirect. */
export const strangeAnswers = {
  html: {
    status: 200,
    type: 'text/html',
    headers: {},
    body: '<!doctype html><title>Gateway</title>',
  },
  shape: { status: 200, type: 'application/json', headers: {}, body: '{"id":42}' },
  redirect: {
    status: 302,
    type: 'text/plain',
    headers: { location: 'https://example.com/' },
    body: '',
  },
} as const

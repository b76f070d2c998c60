import { z } from 'zod'
import {
  catalogue,
  ConnectorError,
  type ErrorCode,
  type GraphRefusal,
  type ShownFacts,
} from '../errors.ts'

/** A response of Graph that is not a success. */
export interface RefusedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

/** What the call was for, so that the error can say it. */
export interface Attempt {
  /** "create the session": completes the sentence "Cannot …". */
  readonly action: string
  /** The 404 of the deepest id in the path. */
  readonly notFound: ErrorCode
  /** The token sent, cut out of whatever Graph repeats. */
  readonly token: string
  /** The caller's text that was sent: a message that repeats it is dropped. */
  readonly sent: string
  /** Milliseconds since 1970. */
  readonly now: number
}

// https://learn.microsoft.com/graph/errors: `innerError` is spelt two ways, and every part may be
// missing or empty.
const text = z.string().optional().catch(undefined)
const inner = z.object({ 'request-id': text }).optional().catch(undefined)
const errorBody = z
  .object({ error: z.object({ code: text, message: text, innerError: inner, innererror: inner }) })
  .transform(({ error }) => ({
    ...error,
    requestId: (error.innerError ?? error.innererror)?.['request-id'],
  }))
  .catch({
    requestId: undefined,
    code: undefined,
    message: undefined,
    innerError: undefined,
    innererror: undefined,
  })

/** A Graph message longer than this is cut. */
const maxMessageLength = 300

/** Nobody is told to wait for longer, in s. */
const maxRetryAfterSeconds = 86_400

/** More of a message is not looked at. */
const maxMessageRead = 10_000

/** Anything that looks like a token, beside the one that was sent. */
const tokenLike = /eyJ[\w.-]+|Bearer\s+\S+/g

/**
 * Reads a `Retry-After` header: seconds, possibly with a fraction, or an HTTP date (RFC 9110,
 * 10.2.3). Returns whole seconds, rounded up, at least 1; `undefined` when there is none or it
 * cannot be read. Pure: `now` in ms.
 */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const value = header.trim()
  // A date starts with a weekday; Date.parse alone would take "-5" for a year.
  const date = /^[A-Z][a-z]+[ ,]/.test(value) ? Date.parse(value) : Number.NaN
  const seconds = /^\d+(\.\d+)?$/.test(value) ? Number(value) : (date - now) / 1000
  if (!Number.isFinite(seconds)) return undefined
  return Math.min(Math.max(1, Math.ceil(seconds)), maxRetryAfterSeconds)
}

/** A header that may come more than once, as one. */
export const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(', ') : header

/** So many characters of the prompt in a message are the prompt, not a coincidence. */
const repeatedLength = 24

/** Whether a message repeats a part of what was sent, or the whole where that is short. Pure. */
function repeats(said: string, sent: string): boolean {
  const message = said.toLowerCase()
  const prompt = sent.trim().toLowerCase()
  if (prompt.length <= repeatedLength) return prompt.length > 3 && message.includes(prompt)
  for (let at = 0; at + repeatedLength <= message.length; at += 1) {
    if (prompt.includes(message.slice(at, at + repeatedLength))) return true
  }
  return false
}

/** A text of Graph's without tokens, cut. Pure. */
const clean = (said: string | undefined, token: string): string | undefined =>
  said
    ?.slice(0, maxMessageRead)
    .replaceAll(token, '[token]')
    .replace(tokenLike, '[token]')
    .slice(0, maxMessageLength)

function describe(
  { status, headers, body }: RefusedResponse,
  { token, sent }: Attempt,
): GraphRefusal {
  const { code, message, requestId } = errorBody.parse(body)
  const shown = clean(message, token)
  const id = readRequestId(requestId, token) ?? readRequestId(headers['request-id'], token)
  return {
    status,
    ...(code !== undefined && !repeats(code, sent) && { code: clean(code, token) }),
    ...(shown !== undefined && !repeats(shown, sent) && { message: shown }),
    ...(id !== undefined && { 'request-id': id }),
  }
}

/** Graph's id of the request, if it is one: it stands in our errors and in the log. Pure. */
export function readRequestId(
  header: string | string[] | undefined,
  token: string,
): string | undefined {
  const id = single(header)
  return id !== undefined && /^[\w-]{1,64}$/.test(id) && !id.includes(token) ? id : undefined
}

/**
 * The claims of a challenge (401 with `error="insufficient_claims"`), as Graph wrote them: base64
 * of JSON.
 */
function challengedClaims(headers: RefusedResponse['headers']): string | undefined {
  const challenge = single(headers['www-authenticate']) ?? ''
  if (!/\berror="?insufficient_claims\b/.test(challenge)) return undefined
  return /\bclaims="([A-Za-z0-9+/=_-]+)"/.exec(challenge)?.[1]
}

/**
 * Translates Graph's final refusal into a row of our catalogue (docs/api.md#73-graphs-refusals).
 * Pure. The status decides; Graph's own codes are not stable enough to branch on.
 */
export function graphError(response: RefusedResponse, attempt: Attempt): ConnectorError {
  const { action, notFound, now } = attempt
  const { status, headers } = response
  const graph = describe(response, attempt)
  const wait = readRetryAfter(single(headers['retry-after']), now)
  const fail = (code: ErrorCode, why: string, shown: ShownFacts = {}) =>
    new ConnectorError(
      code,
      `Cannot ${action}: ${why}`,
      { graph, ...shown },
      { suggestedWaitSeconds: wait },
    )

  switch (status) {
    case 401: {
      const claims = challengedClaims(headers)
      if (claims === undefined)
        return fail('GraphError', 'Microsoft Graph did not accept the token')
      const challenge = `Bearer error="insufficient_claims", claims="${claims}"`
      return fail(
        'InsufficientClaims',
        'Conditional Access asks for more; sign in again with the claims given',
        {
          headers: { 'www-authenticate': challenge },
        },
      )
    }
    case 403:
      return fail(
        'GraphForbidden',
        'the caller lacks a Security Copilot role or a Graph permission',
      )
    case 404:
      return fail(notFound, 'Microsoft Graph does not know it, or the caller does not own it')
    case 429: {
      const retryAfter = wait ?? catalogue.GraphThrottled.retryAfterSeconds
      return fail(
        'GraphThrottled',
        `Microsoft Graph throttles; try again in ${retryAfter} seconds`,
        {
          retryAfterSeconds: retryAfter,
        },
      )
    }
    case 503:
      if (wait === undefined) return fail('GraphError', 'Microsoft Graph answered 503')
      return fail(
        'GraphUnavailable',
        `Microsoft Graph is unavailable; try again in ${wait} seconds`,
        {
          retryAfterSeconds: wait,
        },
      )
    case 504:
      return fail('GraphTimeout', 'Microsoft Graph took too long')
    default:
      return fail('GraphError', `Microsoft Graph answered ${status}`)
  }
}

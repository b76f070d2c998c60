import type { IncomingHttpHeaders } from 'node:http'
import fp from 'fastify-plugin'

export interface ResponseHeadersOptions {
  /** Base of the URLs handed out: only over https the browser is told to stay there. */
  readonly publicUrl: string
  /** Put on every response, whatever it is. */
  readonly extraHeaders: Readonly<Record<string, string>>
}

/** The two names by which a caller may send its own id of the request. */
const clientRequestIdHeaders = ['client-request-id', 'x-ms-client-request-id'] as const

const echoable = /^[\x21-\x7e]{1,128}$/

/**
 * The caller's own id of the request, if it is one that may be echoed (docs/api.md#8-errors), and
 * the header it came in.
 */
export function clientRequestId(
  headers: IncomingHttpHeaders,
): { name: string; id: string } | undefined {
  for (const name of clientRequestIdHeaders) {
    const id = headers[name]
    if (typeof id === 'string' && echoable.test(id)) return { name, id }
  }
  return undefined
}

const strictTransport = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }

/**
 * The headers of every response: our id, the caller's id echoed, and that nobody may keep a copy.
 * Pure.
 */
export function responseHeaders(
  requestId: string,
  headers: IncomingHttpHeaders,
  { publicUrl, extraHeaders }: ResponseHeadersOptions,
): Record<string, string> {
  const client = clientRequestId(headers)
  return {
    'request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    ...(publicUrl.startsWith('https:') && strictTransport),
    ...(client && { 'client-request-id': client.id, [client.name]: client.id }),
    ...extraHeaders,
  }
}

/**
 * A response that its caller does not read is cut off: Node looks twice, so after 30 s, in ms.
 */
const unreadMs = 15_000

/** Puts them on every response that passes through Fastify's hooks. */
export const responseHeadersPlugin = fp<ResponseHeadersOptions>(
  async (app, options) => {
    app.addHook('onRequest', (request, reply, done) => {
      reply.headers(responseHeaders(request.id, request.headers, options))
      done()
    })
    app.addHook('onSend', (_request, { raw }, payload, done) => {
      raw.setTimeout(unreadMs, () => raw.destroy())
      done(null, payload)
    })
  },
  { name: 'response-headers' },
)

import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../lib/clock.ts'
import type { Observer } from '../telemetry/observer.ts'
import {
  responseHeaders,
  clientRequestId,
  type ResponseHeadersOptions,
} from './response-headers.ts'
import { isFirstInLine, latestResponse } from './well-formed.ts'
import { errorResponse, toConnectorError } from './error-body.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Errors of this route repeat their message as `errors` at the top. */
    readonly errorsAtTop?: boolean
  }
}

export interface ErrorOptions extends ResponseHeadersOptions {
  readonly clock: Clock
  readonly observer: Observer
}

/**
 * Answers any error thrown while a request is handled; what is our or Graph's fault is logged with
 * its cause, and what Entra refuses by number.
 */
function sendError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ErrorOptions,
): FastifyReply {
  // A request that Fastify refuses before any hook has no journal.
  const known = toConnectorError(error).with(request.journal?.created ?? {})
  const { status, headers, body } = errorResponse(known, {
    requestId: request.id,
    clientRequestId: clientRequestId(request.headers)?.id,
    now: options.clock.now(),
    errorsAtTop: request.routeOptions?.config.errorsAtTop,
  })
  const { aadsts } = known.inner
  if (status >= 500) request.log.error({ err: known }, known.code)
  // Its text names users and addresses: the number is all that is logged of it.
  else if (aadsts !== undefined) request.log.info({ aadsts }, `Entra refused: AADSTS${aadsts}`)
  return reply.code(status).headers(headers).serializer(JSON.stringify).send(body)
}

/**
 * Answers a request that Fastify refuses before any hook, so that it has no headers of ours yet.
 */
export function sendFrameworkError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  options: ErrorOptions,
): FastifyReply {
  return sendError(
    error,
    request,
    reply.headers(responseHeaders(request.id, request.headers, options)),
    options,
  )
}

/** A connection that cannot go on is closed so long after its last response, in ms. */
const lingerMs = 1000

/**
 * Answers what is not HTTP, on the bare socket: Node could make no request of it, or no whole body.
 */
export function sendClientError(
  error: Error & { code?: string },
  socket: Socket,
  options: ErrorOptions,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy(error)
    return
  }
  const response = latestResponse(socket)
  const isItsBody = response?.req.complete === false
  const isAnswered = response === undefined || response.writableFinished
  if (isItsBody && (isAnswered || !isFirstInLine(response))) {
    socket.destroy()
    return
  }
  // Behind a request that is not answered yet: it must not overtake that response. But a response
  // to a request whose body cannot be read would never come.
  if (!isAnswered && (response.headersSent || !isItsBody)) {
    response.once('close', () => socket.destroy())
    return
  }
  const requestId = randomUUID()
  const { status, headers, body } = errorResponse(toConnectorError(error), {
    requestId,
    clientRequestId: undefined,
    now: options.clock.now(),
  })
  const code = headers['x-ms-error-code']
  options.observer.requestEnded({ method: 'none', route: 'malformed', status, code, seconds: 0 })
  const text = JSON.stringify(body)
  const lines = Object.entries({
    ...responseHeaders(requestId, {}, options),
    ...headers,
    'content-length': Buffer.byteLength(text),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`)
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

/** One error handler for every route. */
export const errorHandler = fp<ErrorOptions>(
  async (app, options) => {
    app.setErrorHandler((error, request, reply) => sendError(error, request, reply, options))
  },
  { name: 'errors' },
)

import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../lib/clock.ts'
import { createJournal, type Journal } from '../telemetry/journal.ts'
import type { Observer } from '../telemetry/observer.ts'
import type { Tracer } from '../telemetry/tracer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request came, in ms of the monotonic clock. */
    receivedAt: number
    journal: Journal
    /** Whether its response is on its way, or its caller left before that. */
    ended: 'answered' | 'left' | undefined
  }
}

export interface RequestLogOptions {
  readonly clock: Clock
  readonly observer: Observer
  readonly tracer: Tracer
}

/** nginx's word for a caller that hung up before the response. */
const hungUpStatus = 499

/**
 * Writes one line a request, by the route's template: never a URL, a header or a body. Tells trace
 * and observer the same.
 */
export const requestLog = fp<RequestLogOptions>(
  async (app, { clock, observer, tracer }) => {
    app.decorateRequest('receivedAt', 0)
    app.decorateRequest('journal')
    app.decorateRequest('ended')

    function close(request: FastifyRequest, reply: FastifyReply): void {
      const { method, journal, receivedAt } = request
      const { span, named, created, ...did } = journal
      const route = request.routeOptions.url
      const status = reply.raw.writableFinished ? reply.statusCode : hungUpStatus
      const code = reply.getHeader('x-ms-error-code') as string | undefined
      const durationMs = clock.monotonic() - receivedAt
      request.log.info(
        {
          connection: request.caller?.key,
          method,
          route,
          status,
          code,
          durationMs,
          ...did,
          ...named,
          ...created,
          traceId: span.traceId,
        },
        'request',
      )
      const facts = { route: route ?? 'unmatched', status, code }
      span.end(facts)
      observer.requestEnded({ ...facts, method, seconds: durationMs / 1000 })
    }

    // The last to be added, so that it hears of every response, and runs when a caller has left,
    // too.
    app.addHook('onSend', (request, reply, payload, done) => {
      if (request.ended === 'left') close(request, reply)
      request.ended = 'answered'
      done(null, payload)
    })
    app.addHook('onRequest', (request, reply, done) => {
      request.receivedAt = clock.monotonic()
      request.journal = createJournal(tracer.startRequest(request))
      // Not onResponse: that is silent when the caller hangs up. Then the line waits until the work
      // that goes on for the caller is done, so that it has the ids of what exists.
      reply.raw.once('close', () => {
        if (request.ended === 'answered') close(request, reply)
        else request.ended = 'left'
      })
      done()
    })
  },
  { name: 'request-log' },
)

import fp from 'fastify-plugin'
import type { Clock } from '../clock.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** When the request came, in ms since 1970. */
    receivedAt: number
  }
}

/** One line a request, by the route's template: never a URL, a header or a body. */
export const requestLog = fp<{ clock: Clock }>(
  async (app, { clock }) => {
    app.decorateRequest('receivedAt', 0)
    app.addHook('onRequest', async request => {
      request.receivedAt = clock.now()
    })
    app.addHook('onResponse', async (request, reply) => {
      request.log.info(
        {
          connection: request.connection?.key,
          method: request.method,
          route: request.routeOptions.url,
          status: reply.statusCode,
          code: reply.getHeader('x-ms-error-code'),
          durationMs: clock.now() - request.receivedAt,
        },
        'request',
      )
    })
  },
  { name: 'request-log' },
)

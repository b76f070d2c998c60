import fp from 'fastify-plugin'
import type { Authenticate, Connection } from '../auth/caller.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls: known on the routes that need authentication, once they are reached. */
    connection: Connection
  }
}

/** Finds out who calls before anything else is read of the request. */
export const connection = fp<{ authenticate: Authenticate }>(
  async (app, { authenticate }) => {
    app.decorateRequest('connection')
    app.addHook('onRequest', async request => {
      request.connection = { ...(await authenticate(request.raw)), journal: request.journal }
    })
  },
  { name: 'connection', dependencies: ['request-log'] },
)

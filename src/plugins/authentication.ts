import fp from 'fastify-plugin'
import type { Authenticate, Caller } from '../auth/caller.ts'
import { retryBudgetMs, type GraphContext } from '../graph/context.ts'
import type { Clock } from '../lib/clock.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls: known on the routes that need authentication, once they are reached. */
    caller: Caller
    /** What the request's calls to Graph need to know of it. */
    graphContext: GraphContext
  }
}

export interface AuthenticationOptions {
  readonly authenticate: Authenticate
  readonly clock: Clock
}

/**
 * Finds out who calls before anything else is read of the request. The retry budget starts here:
 * getting a token at Entra is not part of it.
 */
export const authentication = fp<AuthenticationOptions>(
  async (app, { authenticate, clock }) => {
    app.decorateRequest('caller')
    app.decorateRequest('graphContext')
    app.addHook('onRequest', async (request, reply) => {
      const caller = await authenticate(request.raw)
      request.caller = caller
      request.graphContext = {
        caller,
        retryUntil: clock.monotonic() + retryBudgetMs,
        signal: app.shutdown.callerLeft(reply),
        journal: request.journal,
        get bytes() {
          return request.bytes
        },
      }
    })
  },
  { name: 'authentication', dependencies: ['request-log', 'shutdown'] },
)

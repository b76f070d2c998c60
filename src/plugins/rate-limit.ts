import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import type { Limiter, Quota } from '../limits/limiter.ts'
import type { Observer } from '../telemetry/observer.ts'

export interface RateLimitOptions {
  readonly limiter: Limiter
  readonly quota: Quota
  readonly observer: Observer
}

/**
 * Spends one call of the connection's allowance before the body is read; a call that is wrong in
 * itself counts as well. The header fields are those of draft-ietf-httpapi-ratelimit-headers.
 */
export const rateLimit = fp<RateLimitOptions>(
  async (app, { limiter, quota: { calls, windowMs }, observer }) => {
    const policy = `"connection";q=${calls};w=${windowMs / 1000}`
    app.addHook('onRequest', async (request, reply) => {
      const { admitted, remaining, resetMs } = await limiter.take(request.caller.key)
      observer.callCounted(admitted ? 'admitted' : 'refused')
      const seconds = Math.max(1, Math.ceil(resetMs / 1000))
      reply
        .header('ratelimit-policy', policy)
        .header('ratelimit', `"connection";r=${remaining};t=${seconds}`)
      if (admitted) return
      throw new ConnectorError(
        'RateLimitExceeded',
        `Rate limit is exceeded. Try again in ${seconds} seconds.`,
        {
          retryAfterSeconds: seconds,
        },
      )
    })
  },
  { name: 'rate-limit', dependencies: ['authentication'] },
)

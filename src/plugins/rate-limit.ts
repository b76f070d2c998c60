import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import type { Limit, Limiter, Quota } from '../limits/limiter.ts'
import type { Observer } from '../telemetry/observer.ts'

export interface RateLimitOptions {
  readonly limiter: Limiter
  readonly quota: Quota
  readonly observer: Observer
  /** Evaluations that an identity may start. @default no bound */
  readonly budget?: Limit | undefined
}

/**
 * Spends one call of the connection's allowance before the body is read; a call that is wrong in
 * itself counts as well. The header fields are those of draft-ietf-httpapi-ratelimit-headers.
 */
export const rateLimit = fp<RateLimitOptions>(
  async (app, { limiter, quota: { calls, windowMs }, observer, budget }) => {
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
    if (!budget) return
    const { calls: evaluations, windowMs: budgetMs } = budget.quota
    const budgetPolicy = `"evaluations";q=${evaluations};w=${budgetMs / 1000}`
    // When the response leaves, so that it tells what this very call has used.
    app.addHook('onSend', async (request, reply, payload) => {
      const counted = reply.getHeader('ratelimit')
      if (counted === undefined) return payload
      const { remaining, resetMs } = await budget.limiter.peek(request.caller.identityKey)
      const left = `"evaluations";r=${remaining};t=${Math.max(1, Math.ceil(resetMs / 1000))}`
      reply
        .header('ratelimit-policy', `${policy}, ${budgetPolicy}`)
        .header('ratelimit', `${String(counted)}, ${left}`)
      return payload
    })
  },
  { name: 'rate-limit', dependencies: ['authentication'] },
)

import type { Copilot } from '../copilot/copilot.ts'
import type { Allowance, Limit, Quota } from '../limits/limiter.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { getConnectionDescription } from './descriptions.ts'
import { connectionInfo } from './schemas.ts'

export interface ConnectionRoutes {
  readonly copilot: Copilot
  readonly workspaceId: string
  readonly allowance: Limit
  /** Evaluations that an identity may start. @default no bound */
  readonly budget?: Limit | undefined
}

const shown = ({ calls: limit }: Quota, { remaining, resetMs }: Allowance) => ({
  limit,
  remaining,
  resetSeconds: Math.max(0, Math.ceil(resetMs / 1000)),
})

/**
 * Who the service takes the caller for, and that Graph lets it in: it reads the plugins, for free.
 */
export const getConnectionRoute: ZodPlugin<ConnectionRoutes> = async (
  app,
  { copilot, workspaceId, allowance, budget },
) => {
  app.get(
    '/connection',
    { schema: { operation: getConnectionDescription, response: { 200: connectionInfo } } },
    async ({ caller, graphContext }) => {
      const [plugins, calls, evaluations] = await Promise.all([
        copilot.plugins(graphContext, true),
        allowance.limiter.peek(caller.key),
        budget?.limiter.peek(caller.identityKey),
      ])
      return {
        type: caller.type,
        tenantId: caller.tenantId,
        identityId: caller.identityId,
        workspaceId,
        plugins: plugins.map(({ name }) => name),
        allowance: shown(allowance.quota, calls),
        ...(budget && evaluations && { budget: shown(budget.quota, evaluations) }),
      }
    },
  )
}

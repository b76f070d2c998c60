import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Limiter } from '../limits/limiter.ts'

/** How many evaluations an identity may start in any hour. */
export interface Budget {
  /**
   * Reserves one evaluation of the caller's identity, before anything is created.
   * @returns what gives it back, when surely none was created.
   * @throws ConnectorError `BudgetExceeded`
   */
  reserve(context: GraphContext): Promise<() => Promise<void>>
}

/** Without a bound. */
export const noBudget: Budget = { reserve: async () => async () => undefined }

/**
 * A budget that a limiter keeps, exactly: in no window are more evaluations started than it says.
 */
export const limitedBudget = (limiter: Limiter): Budget => ({
  async reserve({ caller: { identityKey } }) {
    const allowance = await limiter.take(identityKey)
    if (allowance.admitted) return () => limiter.refund(identityKey, allowance)
    const retryAfterSeconds = Math.max(1, Math.ceil(allowance.resetMs / 1000))
    throw new ConnectorError(
      'BudgetExceeded',
      `Cannot start an evaluation: the budget of this identity is used up; ` +
        `try again in ${retryAfterSeconds} seconds`,
      { retryAfterSeconds },
    )
  },
})

import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import { createCircuitBreaker, type CircuitBreaker } from './breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import type { SendToGraph } from './request.ts'
import { retryDelayMs } from './retry.ts'

export interface ResilienceOptions {
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined
  /** @default hears nothing */
  readonly observer?: Observer | undefined
}

/**
 * Calls that one connection may have under way at once: a promptbook's reads and some more, a
 * quarter of all.
 */
const callsAtOnce = 32

const never = new AbortController().signal

/** 5xx and network failures: what says that Graph is down, not that a call is wrong. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof ConnectorError)) return false
  const { code, shown } = error
  return shown.graph
    ? shown.graph.status >= 500
    : code === 'GraphUnavailable' || code === 'GraphTimeout'
}

/**
 * Calls to Graph that survive its failures: a call is repeated as retryDelayMs() says while the
 * request's budget lasts, a tenant whose calls fail in a row is given a rest, and each connection
 * has its share of calls at once.
 */
export function resilient(
  send: SendToGraph,
  { clock, random = Math.random, observer = noObserver }: ResilienceOptions,
): SendToGraph {
  const breakers = new Map<string, CircuitBreaker>()
  const bulkhead = createBulkhead(callsAtOnce)

  function breakerOf(tenantId: string): CircuitBreaker {
    const breaker =
      breakers.get(tenantId) ??
      createCircuitBreaker(clock, isOutage, open => observer.breakersChanged(open ? 1 : -1))
    breakers.set(tenantId, breaker)
    return breaker
  }

  return async (context, call) => {
    for (let made = 1; ; made += 1) {
      try {
        return await bulkhead(context.caller.key, () =>
          breakerOf(context.caller.tenantId).run(() => send(context, call)),
        )
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error
        const budgetMs = context.retryUntil - clock.monotonic()
        const waitMs = retryDelayMs({
          error,
          repeat: call.repeat,
          made,
          budgetMs,
          random: random(),
        })
        if (waitMs === undefined) throw error
        await clock.sleep(waitMs, never)
      }
    }
  }
}

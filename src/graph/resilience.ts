import { ConnectorError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import { createCircuitBreaker, type CircuitBreaker } from './breaker.ts'
import { createBulkhead } from './bulkhead.ts'
import { maxConnections, type SendToGraph } from './request.ts'
import { retryDelayMs } from './retry.ts'

export interface ResilienceOptions {
  readonly clock: Clock
  /** From 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined
  /** @default hears nothing */
  readonly observer?: Observer | undefined
}

/** Calls that one connection may have under way at once: an eighth of all. */
const callsAtOnce = 32

/** How long a call waits for its turn: as long as Graph has to answer it, in ms. */
const maxWaitMs = 15_000

/** Circuit breakers that nothing is known of are let go when there are more than this. */
const maxCircuitBreakers = 1000

/**
 * 5xx and network failures: what says that Graph is down, not that a call is wrong or came too
 * late.
 */
function isOutage(error: unknown): boolean {
  if (!(error instanceof ConnectorError) || error.inner.ours === true) return false
  const { code, shown } = error
  return shown.graph
    ? shown.graph.status >= 500
    : code === 'GraphUnavailable' || code === 'GraphTimeout'
}

/**
 * Calls to Graph that survive its failures: a call is repeated as retryDelayMs() says while the
 * request's budget lasts, a connection most of whose calls fail is given a rest, and each has its
 * share of calls at once. A call whose caller left is not made any more.
 */
export function resilient(
  send: SendToGraph,
  { clock, random = Math.random, observer = noObserver }: ResilienceOptions,
): SendToGraph {
  const circuitBreakers = new Map<string, CircuitBreaker>()
  const bulkhead = createBulkhead({
    perConnection: callsAtOnce,
    total: maxConnections,
    maxWaitMs,
  })

  function forgetIdle(): void {
    if (circuitBreakers.size < maxCircuitBreakers) return
    for (const [key, { idle }] of circuitBreakers) if (idle) circuitBreakers.delete(key)
  }

  function circuitBreakerOf(key: string): CircuitBreaker {
    const known = circuitBreakers.get(key)
    if (known) return known
    forgetIdle()
    const made = createCircuitBreaker({
      clock,
      isFailure: isOutage,
      onChange: open => observer.circuitsChanged(open ? 1 : -1),
    })
    circuitBreakers.set(key, made)
    return made
  }

  return async (context, call) => {
    const { caller, signal, retryUntil } = context
    const turn = { connectionKey: caller.key, urgency: context.urgency ?? 'caller', signal }
    for (let made = 1; ; made += 1) {
      try {
        return await bulkhead(turn, () => {
          if (call.despiteCircuit === true) return send(context, call)
          return circuitBreakerOf(caller.key).run(() => send(context, call))
        })
      } catch (error) {
        if (!(error instanceof ConnectorError)) throw error
        const budgetMs = retryUntil - clock.monotonic()
        const waitMs = retryDelayMs({
          error,
          repeat: call.repeat,
          made,
          budgetMs,
          random: random(),
        })
        if (waitMs === undefined) throw error
        await clock.sleep(waitMs, signal)
        if (signal.aborted) throw error
      }
    }
  }
}

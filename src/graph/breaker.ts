import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'

/** Stops asking a Graph that is down. */
export interface CircuitBreaker {
  /**
   * Runs a call, unless the breaker is open. What the call throws counts as a failure when
   * `isFailure` says so.
   * @throws ConnectorError `GraphUnavailable` while open, with nothing sent.
   */
  run<T>(call: () => Promise<T>): Promise<T>
}

/** Failures in a row that open it. */
const maxFailures = 5

/** How long it stays open before one call may try. */
const openMs = 30_000

/**
 * A circuit breaker that opens after 5 failures in a row, and after 30 s lets one call through to
 * try (docs/api.md#72-circuit-breaker). `onChange` hears when it opens and closes.
 */
export function createCircuitBreaker(
  clock: Clock,
  isFailure: (error: unknown) => boolean,
  onChange: (open: boolean) => void,
): CircuitBreaker {
  let failures = 0
  let openUntil = Number.NEGATIVE_INFINITY
  let probing = false

  function settle(failed: boolean): void {
    const wasOpen = failures >= maxFailures
    failures = failed ? failures + 1 : 0
    if (wasOpen !== failures >= maxFailures) onChange(!wasOpen)
    if (failures >= maxFailures) openUntil = clock.monotonic() + openMs
    probing = false
  }

  return {
    async run(call) {
      const waitMs = openUntil - clock.monotonic()
      if (failures >= maxFailures && (waitMs > 0 || probing)) {
        throw new ConnectorError(
          'GraphUnavailable',
          'Cannot call Microsoft Graph: it failed several times in a row',
          { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
          { notSent: true, final: true },
        )
      }
      probing = failures >= maxFailures
      try {
        const result = await call()
        settle(false)
        return result
      } catch (error) {
        settle(isFailure(error))
        throw error
      }
    },
  }
}

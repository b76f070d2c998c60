import { ConnectorError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'

/** Circuit breaker: stops asking a Graph that fails this connection. */
export interface CircuitBreaker {
  /**
   * Runs a call, unless the circuit is open. What the call throws counts as a failure when
   * `isFailure` says so.
   * @throws ConnectorError `GraphUnavailable` while open, with nothing sent.
   */
  run<T>(call: () => Promise<T>): Promise<T>
  /** Whether nothing is known that a new circuit breaker would not know as well. */
  readonly idle: boolean
}

export interface CircuitBreakerOptions {
  readonly clock: Clock
  isFailure(error: unknown): boolean
  /** Hears when the circuit opens and closes. */
  onChange(open: boolean): void
}

/**
 * It opens by the calls that ended in the last 10 s: at least 10, and at least half of them
 * failures.
 */
const windowMs = 10_000
const minCalls = 10
const minShare = 0.5

/**
 * One moment of broken connections is no outage: from the first failure to the last it takes so
 * long.
 */
const minSpreadMs = 2000

/** An open circuit lets one call try after so long; each failed try doubles it, up to the last. */
const firstOpenMs = 5000
const maxOpenMs = 30_000

/** Calls remembered: more than this within the window are not needed to tell the share. */
const maxCalls = 1000

interface Ended {
  readonly at: number
  readonly failed: boolean
}

/**
 * A circuit breaker of one connection, by rate (docs/api.md#72-circuit-breaker).
 */
export function createCircuitBreaker({
  clock,
  isFailure,
  onChange,
}: CircuitBreakerOptions): CircuitBreaker {
  let ended: Ended[] = []
  let openMs = 0
  let openUntil = Number.NEGATIVE_INFINITY
  let probing = false

  const recent = (now: number): Ended[] => {
    const first = ended.findIndex(({ at }) => now - at < windowMs)
    ended = first < 0 ? [] : ended.slice(Math.max(first, ended.length - maxCalls))
    return ended
  }

  function isDown(now: number): boolean {
    const calls = recent(now)
    const failures = calls.filter(({ failed }) => failed)
    const [first, last] = [failures[0], failures.at(-1)]
    if (!first || !last || calls.length < minCalls) return false
    return failures.length >= calls.length * minShare && last.at - first.at >= minSpreadMs
  }

  function open(now: number): void {
    if (openMs === 0) onChange(true)
    openMs = Math.min(maxOpenMs, openMs === 0 ? firstOpenMs : 2 * openMs)
    openUntil = now + openMs
  }

  function close(): void {
    openMs = 0
    ended = []
    onChange(false)
  }

  function settle(failed: boolean, probe: boolean): void {
    const now = clock.monotonic()
    if (probe) {
      probing = false
      if (failed) open(now)
      else close()
    } else if (openMs === 0) {
      ended.push({ at: now, failed })
      if (failed && isDown(now)) open(now)
    }
  }

  return {
    async run(call) {
      const waitMs = openUntil - clock.monotonic()
      if (openMs > 0 && (waitMs > 0 || probing)) {
        throw new ConnectorError(
          'GraphUnavailable',
          'Cannot call Microsoft Graph: most calls of this connection failed lately',
          { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) },
          { notSent: true, final: true, ours: true },
        )
      }
      const probe = openMs > 0
      probing ||= probe
      try {
        const result = await call()
        settle(false, probe)
        return result
      } catch (error) {
        settle(isFailure(error), probe)
        throw error
      }
    },
    get idle() {
      return openMs === 0 && recent(clock.monotonic()).length === 0
    },
  }
}

import type { ConnectorError } from '../errors.ts'

/**
 * Whether a call may be repeated: `freely` when doing it twice costs nothing (reads, sessions,
 * prompts), `unless-run` when it may have run and each run spends capacity (evaluations).
 */
export type Repeat = 'freely' | 'unless-run'

/** A failed attempt, and what may still be done about it. */
export interface Attempt {
  readonly error: ConnectorError
  readonly repeat: Repeat
  /** Attempts made, the failed one included. */
  readonly made: number
  /** What is left of the time that repeating may take, in ms. */
  readonly budgetMs: number
  /** From 0 to 1, for the jitter. */
  readonly random: number
}

/** Retries after the first attempt, at most. */
const maxRetries = 3

/** The first wait without `Retry-After` is at most so long; it doubles with each attempt. */
const firstWaitMs = 500

const passingStatuses = new Set([429, 502, 503, 504])

/** Whether the call surely did not run: Graph throttled it, or nothing was sent. */
const surelyNotRun = ({ code, inner }: ConnectorError): boolean =>
  code === 'GraphThrottled' || inner.notSent === true

/** Whether the failure may pass by itself: a status that says so, or no response at all. */
function mayPass({ code, shown }: ConnectorError): boolean {
  if (shown.graph) return passingStatuses.has(shown.graph.status) && code !== 'GraphInvalidResponse'
  return code === 'GraphUnavailable' || code === 'GraphTimeout'
}

/**
 * Milliseconds to wait before the call is repeated, `undefined` when it is not
 * (docs/api.md#71-retries): `Retry-After` is obeyed if the budget allows, else handed to the
 * caller; without it, exponential with full jitter. Pure.
 */
export function retryDelayMs({
  error,
  repeat,
  made,
  budgetMs,
  random,
}: Attempt): number | undefined {
  if (made > maxRetries || error.inner.final === true || !mayPass(error)) return undefined
  if (repeat === 'unless-run' && !surelyNotRun(error)) return undefined
  const { suggestedWaitSeconds } = error.inner
  const waitMs =
    suggestedWaitSeconds === undefined
      ? Math.round(random * firstWaitMs * 2 ** (made - 1))
      : suggestedWaitSeconds * 1000
  return waitMs <= budgetMs ? waitMs : undefined
}

/**
 * Whether it cannot be told if the call ran: it was sent, and no response, or none that can be
 * read, or a 5xx came back.
 */
export function isLostResponse({ code, shown, inner }: ConnectorError): boolean {
  if (inner.notSent === true) return false
  if (shown.graph) return shown.graph.status >= 500 || code === 'GraphInvalidResponse'
  return code === 'GraphUnavailable' || code === 'GraphTimeout'
}

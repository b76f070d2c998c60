import { ConnectorError } from '../errors.ts'
import type { GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import { isLostResponse } from '../graph/retry.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Clock } from '../lib/clock.ts'
import { newestOf, spentNothing } from './evaluation.ts'

const unconfirmed = (cause: unknown): ConnectorError =>
  new ConnectorError(
    'SubmissionUnconfirmed',
    'Cannot tell whether the prompt runs: Microsoft Graph did not answer, ' +
      'and its evaluations cannot be seen',
    {},
    { cause },
  )

/** Graph may list an evaluation late: pauses between looks for one, in ms. */
const lookPausesMs = [0, 500, 1000, 2000, 4000]

/** An earlier attempt of which nothing is known any more makes every later error one of doubt. */
const mayHaveRunBefore = ({ code, message, shown, inner }: ConnectorError): ConnectorError =>
  new ConnectorError(code, message, shown, { ...inner, mayHaveRun: true })

const never = new AbortController().signal

/** How a prompt is run. */
export interface RunOptions {
  readonly clock: Clock
  /**
   * Whether an earlier request ran it: `no`; `unlikely`, one look tells; `perhaps`, it may be
   * listed late.
   */
  readonly ran: 'no' | 'unlikely' | 'perhaps'
  /** An evaluation that is known to have spent nothing, and is never adopted. */
  readonly except?: string | undefined
  /** Done before each attempt to create the evaluation. */
  beforeEach(): Promise<void>
  /** Fence: whether a request to create the evaluation may still leave. */
  maySend(): boolean
}

/** A prompt's one evaluation. */
export interface Ran {
  readonly evaluation: Evaluation
  /** An earlier request created it, not this one. */
  readonly adopted: boolean
}

/**
 * Runs a prompt once: each evaluation spends capacity. When the response is lost, it looks for the
 * evaluation, at once and 0.5, 1.5, 3.5 and 7.5 s later, and adopts one that is there. Only when
 * there is none it is created again, one time. No open circuit refuses a look. An evaluation that
 * ended for want of capacity spent nothing and is not adopted.
 * @throws ConnectorError `SubmissionUnconfirmed` when it still cannot tell; else the Graph rows,
 *   and then nothing ran.
 */
export async function runOnce(
  graph: GraphClient,
  context: GraphContext,
  ids: PromptId,
  { clock, ran, except, beforeEach, maySend }: RunOptions,
): Promise<Ran> {
  /** The prompt's newest evaluation that counts, if it has one. */
  async function look(): Promise<Evaluation | undefined> {
    const listed = await graph.listEvaluations(context, ids, { despiteCircuit: true })
    return newestOf(listed.filter(one => !spentNothing(one) && one.id !== except))
  }

  /**
   * Looks until it is there, or would be by now. @throws ConnectorError when the last look failed.
   */
  async function lookFor(pausesMs: readonly number[]): Promise<Evaluation | undefined> {
    let failure: unknown
    for (const pauseMs of pausesMs) {
      if (pauseMs > 0) await clock.sleep(pauseMs, never)
      try {
        failure = undefined
        const found = await look()
        if (found) return found
      } catch (error) {
        failure = error
        const { code } = ConnectorError.from(error)
        if (code === 'GraphForbidden' || code === 'PromptNotFound') break
      }
    }
    if (failure !== undefined) throw unconfirmed(failure)
    return undefined
  }

  if (ran !== 'no') {
    const found = await lookFor(ran === 'perhaps' ? lookPausesMs : lookPausesMs.slice(0, 1))
    if (found) return { evaluation: found, adopted: true }
  }
  let lost: unknown
  let repeated = false
  for (;;) {
    await beforeEach()
    try {
      const evaluation = await graph.createEvaluation(context, ids, maySend)
      return { evaluation, adopted: false }
    } catch (error) {
      if (!(error instanceof ConnectorError)) throw error
      // It came too late to be sent: recorded anew, it may go.
      if (error.inner.fenced === true) continue
      if (!isLostResponse(error)) throw lost === undefined ? error : mayHaveRunBefore(error)
      lost = error
    }
    const found = await lookFor(lookPausesMs)
    if (found) return { evaluation: found, adopted: false }
    if (repeated) throw unconfirmed(lost)
    repeated = true
  }
}

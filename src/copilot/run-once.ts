import { ConnectorError } from '../errors.ts'
import type { GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import { isLostResponse } from '../graph/retry.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Clock } from '../lib/clock.ts'
import { newestOf } from './evaluation.ts'

const unconfirmed = (cause: unknown): ConnectorError =>
  new ConnectorError(
    'SubmissionUnconfirmed',
    'Cannot tell whether the prompt runs: Microsoft Graph did not answer, and its evaluations cannot be seen',
    {},
    { cause },
  )

/** The prompt's newest evaluation, if it has one. */
async function look(
  graph: GraphClient,
  context: GraphContext,
  ids: PromptId,
): Promise<Evaluation | undefined> {
  try {
    return newestOf(await graph.listEvaluations(context, ids))
  } catch (cause) {
    throw unconfirmed(cause)
  }
}

/** How a prompt is run. */
export interface RunOptions {
  readonly clock: Clock
  /** An earlier request may have run it: look before the first attempt, too. */
  readonly mayHaveRun: boolean
  /** Done before each attempt to create the evaluation. */
  beforeEach(): Promise<void>
  /** How long after beforeEach() the call may still be repeated, in ms. */
  readonly repeatMs: number
}

/**
 * Runs a prompt once: each evaluation spends capacity. When the response is lost, it looks first:
 * an evaluation that is there is adopted, and only when there is none is it asked for again, one
 * time.
 * @throws ConnectorError `SubmissionUnconfirmed` when it still cannot tell; else the Graph rows,
 *   and then nothing ran.
 */
export async function runOnce(
  graph: GraphClient,
  context: GraphContext,
  ids: PromptId,
  { clock, mayHaveRun, beforeEach, repeatMs }: RunOptions,
): Promise<Evaluation> {
  const ran = mayHaveRun ? await look(graph, context, ids) : undefined
  if (ran) return ran
  let lost: unknown
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await beforeEach()
    try {
      const retryUntil = Math.min(context.retryUntil, clock.monotonic() + repeatMs)
      return await graph.createEvaluation({ ...context, retryUntil }, ids)
    } catch (error) {
      if (!(error instanceof ConnectorError) || !isLostResponse(error)) throw error
      lost = error
      const found = await look(graph, context, ids)
      if (found) return found
    }
  }
  throw unconfirmed(lost)
}

import type { Clock } from '../clock.ts'
import type { Connection } from '../connections/connection.ts'
import { ConnectorError } from '../errors.ts'
import type { GraphClient, PromptId } from '../graph/client.ts'
import { isLostAnswer } from '../graph/retry.ts'
import type { Evaluation } from '../graph/schemas.ts'
import { newestOf } from './date-time.ts'

const unconfirmed = (cause: unknown): ConnectorError =>
  new ConnectorError(
    'SubmissionUnconfirmed',
    'Cannot tell whether the prompt runs: Microsoft Graph did not answer, and its evaluations cannot be seen',
    { cause },
  )

/** The prompt's newest evaluation, if it has one. */
async function look(graph: GraphClient, as: Connection, ids: PromptId): Promise<Evaluation | undefined> {
  try {
    return newestOf(await graph.listEvaluations(as, ids))
  } catch (cause) {
    throw unconfirmed(cause)
  }
}

/** How a prompt is run. */
export interface RunOptions {
  readonly clock: Clock
  /** An earlier request may have run it: look before the first attempt, too. */
  readonly mayHaveRun: boolean
  /** Done before each attempt: claims it for so long as an attempt may take. */
  beforeEach(): Promise<void>
}

/**
 * How long after beforeEach() the last attempt may begin, in ms: half of the 30 s for which a key is claimed. The other half is for
 * the attempt itself, so that nobody who takes the key over can miss its evaluation.
 */
const attemptMs = 15_000

/**
 * Runs a prompt once: each evaluation spends capacity. When the answer is lost, it looks first: an evaluation that is there is
 * adopted, and only when there is none is it asked for again, one time.
 * @throws ConnectorError `SubmissionUnconfirmed` when it still cannot tell; else the Graph rows, and then nothing ran.
 */
export async function runPrompt(
  graph: GraphClient,
  as: Connection,
  ids: PromptId,
  { clock, mayHaveRun, beforeEach }: RunOptions,
): Promise<Evaluation> {
  const ran = mayHaveRun ? await look(graph, as, ids) : undefined
  if (ran) return ran
  let lost: unknown
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await beforeEach()
    try {
      const retryUntil = Math.min(as.retryUntil, clock.now() + attemptMs)
      return await graph.createEvaluation({ ...as, retryUntil }, ids)
    } catch (error) {
      if (!(error instanceof ConnectorError) || !isLostAnswer(error)) throw error
      lost = error
      const found = await look(graph, as, ids)
      if (found) return found
    }
  }
  throw unconfirmed(lost)
}

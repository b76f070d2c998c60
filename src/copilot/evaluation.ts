import type { Connection } from '../auth/caller.ts'
import type { EvaluationId } from '../graph/client.ts'
import type { Copilot, Run } from './copilot.ts'

/**
 * Reads how an evaluation stands: one call to Graph, two the first time, side by side.
 * @throws ConnectorError the Graph rows; `EvaluationNotFound` whichever of the three ids is wrong.
 */
export async function fetchRun(
  { graph, memory }: Copilot,
  as: Connection,
  ids: EvaluationId,
): Promise<Run> {
  const { sessionId, promptId } = ids
  const reading = memory.prompt(as, { sessionId, promptId })
  // The evaluation speaks first: of two refusals, the caller hears of the deepest id.
  reading.catch(() => undefined)
  const evaluation = await graph.getEvaluation(as, ids)
  return { sessionId, promptId, evaluation, prompt: await reading }
}

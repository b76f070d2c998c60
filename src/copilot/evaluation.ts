import type { EvaluationId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Cache, PromptText } from './cache.ts'

/** A prompt's run, as an action tells it. */
export interface Run {
  readonly sessionId: string
  readonly promptId: string
  readonly prompt: PromptText
  readonly evaluation: Evaluation
}

/**
 * Whether nothing more will happen. `completed` is not success: the result type says which. Pure.
 */
export const isEnded = ({ state }: Evaluation): boolean =>
  state === 'completed' || state === 'cancelled'

/** Whether it ended for want of capacity: it spent nothing, and is worth repeating. Pure. */
export const spentNothing = (evaluation: Evaluation): boolean =>
  isEnded(evaluation) && evaluation.result?.type === 'capacityExceeded'

/**
 * The digits after the second: Graph writes up to seven and trims zeros, more than a Date can hold.
 */
const fraction = (dateTime: string): number => Number(/\.\d+/.exec(dateTime)?.[0] ?? 0)

/** Orders two of Graph's date-times, oldest first, to the last digit. Pure. */
export const compareDateTimes = (a: string, b: string): number =>
  Date.parse(a) - Date.parse(b) || fraction(a) - fraction(b)

/** The newest of these, `undefined` of none. Pure. */
export const newestOf = <Item extends { readonly createdDateTime: string }>(
  items: readonly Item[],
): Item | undefined =>
  items.toSorted((a, b) => compareDateTimes(a.createdDateTime, b.createdDateTime)).at(-1)

/** Reads how an evaluation stands; see Copilot.evaluation(). */
export async function fetchEvaluation(
  cache: Cache,
  context: GraphContext,
  ids: EvaluationId,
): Promise<Run> {
  const { sessionId, promptId } = ids
  const reading = cache.prompt(context, { sessionId, promptId })
  // The evaluation speaks first: of two refusals, the caller hears of the deepest id.
  reading.catch(() => undefined)
  const evaluation = await cache.evaluation(context, ids)
  return { sessionId, promptId, evaluation, prompt: await reading }
}

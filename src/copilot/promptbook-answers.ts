import pMap from 'p-map'
import type { GraphContext } from '../graph/context.ts'
import type { RunState, StepState } from '../promptbooks/run-state.ts'
import type { Cache, PromptText } from './cache.ts'

/** One step of a run, with what its prompt and its evaluation say. */
export interface AnsweredStep {
  readonly prompt: PromptText
  /** `unknown` while there is no result. */
  readonly resultType: string
  readonly content: string | null
}

/** Steps read at once. */
const parallelReads = 10

const unread: PromptText = { content: '', skillName: null }

/** How a step ended by the run's own record; a state is no type of a result. */
const recordedType = ({ ended = 'unknown' }: StepState): string =>
  ended === 'Cancelled' ? 'unknown' : ended

/**
 * Reads prompts and answers of the steps that began: they are not kept with the run. What is in the
 * cache asks nothing of Graph. With `leniently`, what cannot be read is left out.
 * @throws ConnectorError the Graph rows, unless `leniently`.
 */
export function readAnswers(
  cache: Cache,
  context: GraphContext,
  { sessionId = '', steps }: RunState,
  leniently: boolean,
): Promise<AnsweredStep[]> {
  const read = async (step: StepState): Promise<AnsweredStep> => {
    const { promptId, evaluationId, ended } = step
    const reading = cache.prompt(context, { sessionId, promptId })
    // The evaluation speaks first: of two refusals, the caller hears of the deepest id.
    reading.catch(() => undefined)
    const evaluation =
      evaluationId === undefined || ended === undefined
        ? undefined
        : await cache.evaluation(context, { sessionId, promptId, evaluationId })
    return {
      prompt: await reading,
      resultType: evaluation?.result?.type ?? recordedType(step),
      content: evaluation?.result?.content ?? null,
    }
  }
  const orNothing = (step: StepState) =>
    read(step).catch(() => ({ prompt: unread, resultType: recordedType(step), content: null }))
  return pMap(steps, leniently ? orNothing : read, { concurrency: parallelReads })
}

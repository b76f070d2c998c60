import pMap from 'p-map'
import { ConnectorError } from '../errors.ts'
import type { GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Evaluation, Prompt } from '../graph/resources.ts'
import type { Cache, PromptText } from './cache.ts'
import { compareDateTimes, isEnded, newestOf } from './evaluation.ts'
import { skillNameOf } from './prompt.ts'

/** One prompt of a promptbook run, with its newest evaluation. */
export interface PromptbookStep {
  readonly prompt: PromptText
  readonly evaluation: Evaluation | undefined
}

export interface PromptbookRun {
  readonly sessionId: string
  readonly state: string
  readonly steps: readonly PromptbookStep[]
}

/**
 * Evaluations read at once: 200 prompts take eight rounds, and the connection has some calls left
 * for others.
 */
const parallelReads = 25

const sameId = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/**
 * The prompt named and every later one of its session, oldest first. Graph has no promptbook: this
 * is what stands for a run.
 */
function runFrom(prompts: readonly Prompt[], promptId: string): Prompt[] {
  const ordered = prompts.toSorted((a, b) => compareDateTimes(a.createdDateTime, b.createdDateTime))
  const first = ordered.findIndex(prompt => sameId(prompt.id, promptId))
  if (first < 0) {
    throw new ConnectorError(
      'PromptNotFound',
      'Cannot read the promptbook run: the session has no such prompt',
    )
  }
  return ordered.slice(first)
}

/**
 * The state of a run from those of its newest evaluations (docs/api.md#32-promptbookrunresult).
 * Pure.
 */
export function promptbookState(evaluations: readonly (Evaluation | undefined)[]): string {
  const states = evaluations.map(evaluation => evaluation?.state)
  if (states.every(state => state === undefined)) return 'created'
  if (states.includes('waitingForInput')) return 'waitingForInput'
  if (!evaluations.every(evaluation => evaluation && isEnded(evaluation))) return 'running'
  return states.includes('cancelled') ? 'cancelled' : 'completed'
}

/**
 * Reads how a promptbook run stands.
 * @throws ConnectorError `SessionNotFound`, `PromptNotFound` and the Graph rows.
 */
export async function fetchPromptbook(
  { graph, cache }: { readonly graph: GraphClient; readonly cache: Cache },
  context: GraphContext,
  { sessionId, promptId }: PromptId,
): Promise<PromptbookRun> {
  const prompts = runFrom(await graph.listPrompts(context, { sessionId }), promptId)
  const steps = await pMap(
    prompts,
    async ({ id, content, skillName }): Promise<PromptbookStep> => {
      const ids = { sessionId, promptId: id }
      const evaluation = newestOf(await graph.listEvaluations(context, ids))
      const prompt = cache.keepPrompt(context, ids, {
        content,
        skillName: skillNameOf({ content, skillName }),
      })
      return { prompt, evaluation }
    },
    { concurrency: parallelReads },
  )
  return { sessionId, state: promptbookState(steps.map(step => step.evaluation)), steps }
}

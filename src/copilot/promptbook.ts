import pMap from 'p-map'
import { ConnectorError } from '../errors.ts'
import type { GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Evaluation, Prompt } from '../graph/resources.ts'
import type { Cache, PromptText } from './cache.ts'
import { compareDateTimes, isEnded, newestOf } from './evaluation.ts'
import { skillNameOf } from './prompt.ts'
import { sessionKeyOf } from './promptbook-driver.ts'
import type { Clock } from '../lib/clock.ts'
import type { RunStore } from '../run-store/run-store.ts'

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

/** Prompts of a run that are read, at most: beyond, the newest. */
const maxPrompts = 500

/**
 * The prompt named and every later one of its session, oldest first, each once. Graph has no
 * promptbook: this is what stands for a run.
 * @throws ConnectorError `PromptNotFound`
 */
function runFrom(prompts: readonly Prompt[], promptId: string): Prompt[] {
  const unique = new Map(prompts.map(prompt => [prompt.id.toLowerCase(), prompt]))
  const ordered = [...unique.values()].toSorted((a, b) =>
    compareDateTimes(a.createdDateTime, b.createdDateTime),
  )
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
 * The state of a run from those of its newest evaluations, oldest prompt first
 * (docs/api.md#32-promptbookrunresult). A prompt without an evaluation whose later sibling has one
 * never ran, and holds nothing open. Pure.
 */
export function promptbookState(evaluations: readonly (Evaluation | undefined)[]): string {
  const last = evaluations.findLastIndex(evaluation => evaluation !== undefined)
  if (last < 0) return 'created'
  const counted = evaluations.filter((evaluation, at) => evaluation !== undefined || at > last)
  const states = new Set(counted.map(evaluation => evaluation?.state))
  if (states.has('waitingForInput')) return 'waitingForInput'
  if (!counted.every(evaluation => evaluation && isEnded(evaluation))) return 'running'
  return states.has('cancelled') ? 'cancelled' : 'completed'
}

/** What reading a promptbook run works with. */
interface PromptbookParts {
  readonly graph: GraphClient
  readonly cache: Cache
  readonly clock: Clock
  readonly runs: RunStore
}

/**
 * A session whose prompts have all ended may have a run of ours with steps to go: one read of the
 * store tells. A store that is away does not keep anybody from the answers.
 */
async function withOwnRuns(
  { runs, clock }: PromptbookParts,
  sessionId: string,
  state: string,
): Promise<string> {
  if (state !== 'completed' && state !== 'cancelled') return state
  const hasSteps = await runs.isRunning(sessionKeyOf(sessionId), clock.now()).catch(() => false)
  return hasSteps ? 'running' : state
}

/**
 * Reads how a promptbook run stands.
 * @throws ConnectorError `SessionNotFound`, `PromptNotFound` and the Graph rows.
 */
export async function fetchPromptbook(
  parts: PromptbookParts,
  context: GraphContext,
  { sessionId, promptId }: PromptId,
): Promise<PromptbookRun> {
  const { graph, cache } = parts
  const run = runFrom(await graph.listPrompts(context, { sessionId }), promptId)
  const prompts = run.slice(-maxPrompts)
  if (prompts.length < run.length) context.journal.promptsLeftOut = run.length - prompts.length
  const steps = await pMap(
    prompts,
    async (listed): Promise<PromptbookStep> => {
      const { id, content, skillName } = listed
      const ids = { sessionId, promptId: id }
      const evaluation = newestOf(await graph.listEvaluations(context, ids))
      const prompt = cache.keepPrompt(context, ids, {
        content,
        skillName: skillNameOf({ content, skillName }),
      })
      return { prompt, evaluation }
    },
    { concurrency: parallelReads, signal: context.signal },
  )
  const state = promptbookState(steps.map(step => step.evaluation))
  return { sessionId, state: await withOwnRuns(parts, sessionId, state), steps }
}

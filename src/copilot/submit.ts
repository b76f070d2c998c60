import type { Connection } from '../connections/connection.ts'
import { ConnectorError, type CreatedIds } from '../errors.ts'
import type { Copilot, Run } from './copilot.ts'
import { hold } from './hold.ts'
import { requireEnabled } from './plugins.ts'
import { displayName, newPrompt, skillNameOf, type Question } from './prompt-text.ts'
import { runPrompt } from './run-prompt.ts'

export interface Submission extends Question {
  /** Continues this session; a new one is opened when absent. */
  readonly sessionId?: string | undefined
  /** Names of plugins that must be enabled in the workspace. */
  readonly plugins?: readonly string[] | undefined
}

export interface Patience {
  /** Until when to wait for the answer, in ms since 1970. */
  readonly until: number
  /** Aborts when nobody waits any more; the evaluation runs on. */
  readonly signal: AbortSignal
}

/** Runs a step after which `ids` exist: an error of it carries them, so that nothing is lost. */
async function carrying<T>(ids: CreatedIds, step: Promise<T>): Promise<T> {
  try {
    return await step
  } catch (error) {
    throw ConnectorError.from(error).with(ids)
  }
}

/** Opens a session unless one is given, creates the prompt and its one evaluation. */
async function start({ graph, memory, skillMode }: Copilot, as: Connection, submission: Submission): Promise<Run> {
  const { sessionId = (await graph.createSession(as, displayName(submission.content))).id } = submission
  const asked = newPrompt(submission, skillMode)
  const created = await carrying({ sessionId }, graph.createPrompt(as, { sessionId }, asked))
  const ids = { sessionId, promptId: created.id }
  const evaluation = await carrying(ids, runPrompt(graph, as, ids))
  const { content, skillName } = created
  const text = { content, skillName: skillNameOf({ content, skillName: skillName ?? submission.skillName ?? null }) }
  return { ...ids, prompt: memory.keepPrompt(as, ids, text), evaluation }
}

/**
 * Submits a prompt: Graph gets the session (unless given), the prompt and one evaluation, in this order. Then waits for
 * the answer as long as `patience` lasts, and returns the run as far as it is known.
 * @throws ConnectorError `PluginNotEnabled` before anything is created; the Graph rows, with the ids that exist.
 */
export async function submit(
  copilot: Copilot,
  as: Connection,
  submission: Submission,
  patience: Patience,
): Promise<Run> {
  const { graph, memory, clock } = copilot
  const { plugins = [] } = submission
  if (plugins.length > 0) requireEnabled(plugins, await memory.plugins(as))

  const run = await start(copilot, as, submission)
  const ids = { sessionId: run.sessionId, promptId: run.promptId, evaluationId: run.evaluation.id }
  const read = () => graph.getEvaluation(as, ids)
  return { ...run, evaluation: await hold(run.evaluation, { ...patience, clock, read }) }
}

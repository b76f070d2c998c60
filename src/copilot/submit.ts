import type { Connection } from '../auth/caller.ts'
import { ConnectorError, type CreatedIds } from '../errors.ts'
import type { Copilot, Run } from './copilot.ts'
import { waitFor, type Patience } from './long-poll.ts'
import type { RecordedIds } from '../idempotency/store.ts'
import { requireEnabled } from './plugins.ts'
import { displayName, newPrompt, skillNameOf, type Question } from './prompt.ts'
import { runPrompt } from './run-once.ts'

export interface Submission extends Question {
  /** Continues this session; a new one is opened when absent. */
  readonly sessionId?: string | undefined
  /** Names of plugins that must be enabled in the workspace. */
  readonly plugins?: readonly string[] | undefined
}

/** Runs a step after which `ids` exist: an error of it carries them, so that nothing is lost. */
async function carrying<T>(ids: CreatedIds, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw ConnectorError.from(error).with(ids)
  }
}

/**
 * What an earlier attempt has created, and who hears of what this one creates before it goes on.
 */
export interface Progress {
  readonly known: RecordedIds
  record(ids: RecordedIds): Promise<void>
  /** How long after a record creating the evaluation may still be repeated, in ms. */
  readonly repeatMs: number
}

const unrecorded: Progress = {
  known: {},
  record: async () => undefined,
  repeatMs: Number.POSITIVE_INFINITY,
}

/**
 * Opens a session unless one is given, creates the prompt and its one evaluation; goes on from what
 * is known to exist.
 * @throws ConnectorError `PluginNotEnabled` before anything is created; `SubmissionUnconfirmed` and
 *   the Graph rows, with the ids that exist.
 */
export async function startRun(
  { graph, memory, clock, skillMode }: Copilot,
  as: Connection,
  submission: Submission,
  { known, record, repeatMs }: Progress = unrecorded,
): Promise<Run> {
  const { plugins = [] } = submission
  if (plugins.length > 0 && known.sessionId === undefined)
    requireEnabled(plugins, await memory.plugins(as))
  const asked = newPrompt(submission, skillMode)
  const sessionId =
    submission.sessionId ??
    known.sessionId ??
    (await graph.createSession(as, displayName(submission.content))).id
  return carrying({ sessionId }, async () => {
    await record({ sessionId })
    const created =
      known.promptId === undefined
        ? await graph.createPrompt(as, { sessionId }, asked)
        : { id: known.promptId, content: asked.content, skillName: null }
    const ids = { sessionId, promptId: created.id }
    return carrying(ids, async () => {
      const evaluation = await runPrompt(graph, as, ids, {
        clock,
        mayHaveRun: known.promptId !== undefined,
        beforeEach: () => record({ promptId: created.id }),
        repeatMs,
      })
      const { content, skillName } = created
      const text = {
        content,
        skillName: skillNameOf({ content, skillName: skillName ?? submission.skillName ?? null }),
      }
      return { ...ids, prompt: memory.keepPrompt(as, ids, text), evaluation }
    })
  })
}

/**
 * Submits a prompt: Graph gets the session (unless given), the prompt and one evaluation, in this
 * order. Then waits for the answer as long as `patience` lasts, and returns the run as far as it is
 * known.
 * @throws ConnectorError what startRun() throws.
 */
export async function submit(
  copilot: Copilot,
  as: Connection,
  submission: Submission,
  patience: Patience,
): Promise<Run> {
  return waitFor(copilot, as, await startRun(copilot, as, submission), patience)
}

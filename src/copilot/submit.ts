import { ConnectorError, type CreatedIds } from '../errors.ts'
import type { GraphClient } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Plugin } from '../graph/resources.ts'
import type { RecordedIds } from '../idempotency/store.ts'
import type { Run } from './evaluation.ts'
import { waitForEnd, type Patience, type WaitParts } from './long-poll.ts'
import { displayName, newPrompt, skillNameOf, type Question, type SkillMode } from './prompt.ts'
import { runOnce } from './run-once.ts'

/** What a caller submits. */
export interface Submission extends Question {
  /** Continues this session; a new one is opened when absent. */
  readonly sessionId?: string | undefined
  /** Names of plugins that must be enabled in the workspace. */
  readonly plugins?: readonly string[] | undefined
  /** Makes the submission repeatable: the caller's own name for it. */
  readonly idempotencyKey?: string | undefined
}

/** What submitting works with. */
export interface SubmitParts extends WaitParts {
  readonly graph: GraphClient
  readonly skillMode: SkillMode
}

/**
 * Makes sure that every plugin asked for is enabled in the workspace. Graph can list plugins but
 * not enable them, so one that is off is refused before anything is created. Pure.
 * @throws ConnectorError `PluginNotEnabled`, naming each.
 */
export function requireEnabled(wanted: readonly string[], plugins: readonly Plugin[]): void {
  const enabled = new Set(plugins.filter(plugin => plugin.isEnabled).map(plugin => plugin.name))
  const missing = wanted.filter(name => !enabled.has(name))
  if (missing.length === 0) return
  const names = missing.map(name => `"${name}"`).join(', ')
  throw new ConnectorError(
    'PluginNotEnabled',
    `Cannot submit the prompt: not enabled in the workspace: ${names}; ` +
      'enable it in Security Copilot, Graph cannot',
    {
      target: 'plugins',
      details: missing.map(name => ({
        code: 'PluginNotEnabled',
        message: `"${name}" is not enabled in the workspace`,
        target: `plugins[${wanted.indexOf(name)}]`,
      })),
    },
  )
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
  { graph, cache, clock, skillMode }: SubmitParts,
  context: GraphContext,
  submission: Submission,
  { known, record, repeatMs }: Progress = unrecorded,
): Promise<Run> {
  const { plugins = [] } = submission
  if (plugins.length > 0 && known.sessionId === undefined) {
    requireEnabled(plugins, await cache.plugins(context))
  }
  const asked = newPrompt(submission, skillMode)
  const sessionId =
    submission.sessionId ??
    known.sessionId ??
    (await graph.createSession(context, displayName(submission.content))).id
  const { journal } = context
  journal.sessionId = sessionId
  return carrying({ sessionId }, async () => {
    await record({ sessionId })
    const created =
      known.promptId === undefined
        ? await graph.createPrompt(context, { sessionId }, asked)
        : { id: known.promptId, content: asked.content, skillName: null }
    const ids = { sessionId, promptId: created.id }
    journal.promptId = created.id
    return carrying(ids, async () => {
      const evaluation = await runOnce(graph, context, ids, {
        clock,
        mayHaveRun: known.promptId !== undefined,
        beforeEach: () => record({ promptId: created.id }),
        repeatMs,
      })
      journal.evaluationId = evaluation.id
      const { content, skillName } = created
      const text = {
        content,
        skillName: skillNameOf({ content, skillName: skillName ?? submission.skillName ?? null }),
      }
      return { ...ids, prompt: cache.keepPrompt(context, ids, text), evaluation }
    })
  })
}

/** Submits a prompt without a key; see Copilot.submit(). */
export async function submit(
  parts: SubmitParts,
  context: GraphContext,
  submission: Submission,
  patience: Patience,
): Promise<Run> {
  return waitForEnd(parts, context, await startRun(parts, context, submission), patience)
}

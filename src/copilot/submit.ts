import { ConnectorError } from '../errors.ts'
import type { GraphClient, NewPrompt } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Prompt } from '../graph/resources.ts'
import type { RecordedIds } from '../idempotency/store.ts'
import type { Budget } from './budget.ts'
import { requireEnabled } from './enabled-plugins.ts'
import { newestOf, type Run } from './evaluation.ts'
import { waitForEnd, type Patience, type WaitParts } from './long-poll.ts'
import { displayName, newPrompt, skillNameOf, type Question, type SkillMode } from './prompt.ts'
import { runOnce, type RunOptions } from './run-once.ts'

/**
 * What a submission is known by when it is repeated: the caller's own name for it, or what a
 * platform says of itself, which execution of which action calls.
 */
export type IdempotencyKey =
  | { readonly from: 'caller'; readonly name: string }
  | { readonly from: 'platform'; readonly runId: string; readonly trackingId: string }

/** What a caller submits. */
export interface Submission extends Question {
  /** Continues this session; a new one is opened when absent. */
  readonly sessionId?: string | undefined
  /** Names of plugins that must be enabled in the workspace. */
  readonly plugins?: readonly string[] | undefined
  /** Makes the submission repeatable. */
  readonly idempotencyKey?: IdempotencyKey | undefined
}

/** What submitting works with. */
export interface SubmitParts extends WaitParts {
  readonly graph: GraphClient
  readonly skillMode: SkillMode
  readonly budget: Budget
}

/**
 * What an earlier attempt has created, and who hears of what this one creates before it goes on.
 */
export interface SubmitSteps {
  /** What exists already, and whether the prompt may have run. */
  readonly known: RecordedIds
  readonly ran: RunOptions['ran']
  /** Hears of each thing that comes to exist, before the next step. */
  record(ids: RecordedIds): Promise<void>
  /** Done before each attempt to create the evaluation. */
  beforeSend(): Promise<void>
  /** Fence: whether a request to create the evaluation may still leave. */
  maySend(): boolean
}

const nothing = async () => undefined

/** Those of a Submit without a key. */
const unrecorded: SubmitSteps = {
  known: {},
  ran: 'no',
  record: nothing,
  beforeSend: nothing,
  maySend: () => true,
}

const never = new AbortController().signal

/**
 * The prompt of an earlier attempt whose id was lost with a write: its session was opened for it
 * alone, so a prompt of the same content there is it.
 */
async function findPrompt(
  graph: GraphClient,
  context: GraphContext,
  sessionId: string,
  content: string,
): Promise<Prompt | undefined> {
  const prompts = await graph.listPrompts(context, { sessionId })
  return newestOf(prompts.filter(prompt => prompt.content === content))
}

/** Whether an evaluation may have been created, though an error came of it. Pure. */
export function mayHaveRun(error: unknown): boolean {
  const { code, inner } = ConnectorError.from(error)
  return inner.mayHaveRun === true || code === 'SubmissionUnconfirmed' || code === 'InternalError'
}

/**
 * Opens a session unless one is given, creates the prompt and its one evaluation; goes on from what
 * is known to exist. What comes to exist is in the request's journal at once. The caller may leave
 * meanwhile: that ends nothing of it.
 * @throws ConnectorError `PluginNotEnabled` and `BudgetExceeded` before anything is created;
 *   `SubmissionUnconfirmed` and the Graph rows.
 */
export async function startRun(
  { graph, cache, clock, skillMode, budget }: SubmitParts,
  request: GraphContext,
  submission: Submission,
  { known, ran, record, beforeSend, maySend }: SubmitSteps = unrecorded,
): Promise<Run> {
  const context = { ...request, signal: never, text: submission.content }
  const { created } = request.journal
  Object.assign(created, known)
  const { plugins = [] } = submission
  if (plugins.length > 0 && known.promptId === undefined) {
    requireEnabled(plugins, await cache.plugins(context))
  }
  let giveBack: (() => Promise<void>) | undefined
  const reserve = async (): Promise<void> => {
    giveBack ??= await budget.reserve(context)
  }
  // What an earlier attempt left is looked at first: what ran is adopted, whatever is left.
  if (known.sessionId === undefined && known.promptId === undefined) await reserve()
  try {
    return await runSteps()
  } catch (error) {
    if (!mayHaveRun(error)) await giveBack?.().catch(() => undefined)
    throw error
  }

  async function runSteps(): Promise<Run> {
    const asked = newPrompt(submission, skillMode)
    const existing = submission.sessionId ?? known.sessionId
    const sessionId =
      existing ?? (await graph.createSession(context, displayName(submission.content))).id
    created.sessionId = sessionId
    if (existing === undefined) await record({ sessionId })

    const prompt = await openPrompt(sessionId, asked)
    const ids = { sessionId, promptId: prompt.id }
    created.promptId = prompt.id
    await record(ids)

    const { evaluation } = await runOnce(graph, context, ids, {
      clock,
      // What an earlier request left behind may have run, though no record says so.
      ran: ran === 'no' && (known.sessionId ?? known.promptId) !== undefined ? 'unlikely' : ran,
      async beforeEach() {
        await reserve()
        await beforeSend()
      },
      maySend,
    })
    created.evaluationId = evaluation.id
    const { content } = prompt
    const asRead = skillNameOf(prompt)
    // Whoever reads it later knows only what Graph has of it.
    cache.keepPrompt(context, ids, { content, skillName: asRead })
    const skillName = prompt.skillName ?? submission.skillName ?? asRead
    return { ...ids, prompt: { content, skillName }, evaluation }
  }

  async function openPrompt(
    sessionId: string,
    asked: NewPrompt,
  ): Promise<Pick<Prompt, 'id' | 'content' | 'skillName'>> {
    if (known.promptId !== undefined) {
      return { id: known.promptId, content: asked.content, skillName: null }
    }
    const found =
      known.sessionId === undefined
        ? undefined
        : await findPrompt(graph, context, sessionId, asked.content)
    if (found) return found
    await reserve()
    return graph.createPrompt(context, { sessionId }, asked)
  }
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

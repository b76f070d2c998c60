import { ConnectorError } from '../errors.ts'
import type { EvaluationId } from '../graph/client.ts'
import { retryBudgetMs, type GraphContext } from '../graph/context.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { PromptbookPrompt } from '../promptbooks/book.ts'
import type { RunAction, RunEvent, RunState } from '../promptbooks/run-state.ts'
import { isEnded, newestOf } from './evaluation.ts'
import { displayName, newPrompt, skillNameOf } from './prompt.ts'
import { runOnce, type RunOptions } from './run-once.ts'
import { mayHaveRun, type SubmitParts } from './submit.ts'

/** What the steps of a run are done with. */
export interface StepOptions {
  readonly prompts: readonly PromptbookPrompt[]
  /** The session was opened for this run alone. */
  readonly ownSession: boolean
  /** Whether what is to be done next may have been done before, by a driver that is gone. */
  readonly doneBefore: RunOptions['ran']
  /** Done before each attempt to create an evaluation. */
  beforeEach(): Promise<void>
  /** Fence: whether a request to create an evaluation may still leave. */
  maySend(): boolean
  /** Pauses between two polls, in ms. */
  pause(ms: number): Promise<void>
  /** Whether this driver is to do nothing more. */
  isOver(): boolean
}

/** Does one action of a run after the other. */
export interface Stepper {
  /**
   * Does what a state says is next, and tells what happened; `undefined` when it was told to stop.
   * @throws ConnectorError the Graph rows, `SubmissionUnconfirmed`, those of getting a token.
   */
  perform(action: RunAction, state: RunState): Promise<RunEvent | undefined>
  /** Gives back what was reserved for an evaluation that is not created. */
  close(): Promise<void>
}

const never = new AbortController().signal

/** What may be over soon: a poll that fails so is tried again. */
const transient: ReadonlySet<string> = new Set([
  'GraphError',
  'GraphInvalidResponse',
  'GraphThrottled',
  'GraphTimeout',
  'GraphUnavailable',
  'EntraUnavailable',
  'Overloaded',
])

/** Polls that fail for longer than this end the run, which its key goes on with, in ms. */
const maxFailingMs = 5 * 60_000

export function createStepper(
  parts: SubmitParts,
  request: GraphContext,
  { prompts, ownSession, doneBefore, beforeEach, maySend, pause, isOver }: StepOptions,
): Stepper {
  const { graph, cache, clock, pace, skillMode, budget } = parts
  const told = request.journal.created
  let ran = doneBefore
  let running: Evaluation | undefined
  let giveBack: (() => Promise<void>) | undefined
  const contextNow = (): GraphContext => ({
    ...request,
    signal: never,
    // The request may be answered by now.
    bytes: undefined,
    retryUntil: clock.monotonic() + retryBudgetMs,
  })

  /** Reserves the evaluation of a step, before anything of the step is created. */
  async function reserve(): Promise<void> {
    giveBack ??= await budget.reserve(contextNow())
  }

  async function returnReserved(): Promise<void> {
    const returning = giveBack?.()
    giveBack = undefined
    await returning?.catch(() => undefined)
  }

  /** A prompt that a driver before created, but did not record: nothing was asked by it. */
  async function findPrompt(sessionId: string, content: string, { steps }: RunState) {
    const known = new Set(steps.map(({ promptId }) => promptId.toLowerCase()))
    const listed = await graph.listPrompts(contextNow(), { sessionId })
    return newestOf(
      listed.filter(one => one.content === content && !known.has(one.id.toLowerCase())),
    )
  }

  async function createPrompt(step: number, state: RunState): Promise<RunEvent> {
    const { sessionId = '' } = state
    const question = prompts[step] as PromptbookPrompt
    const asked = newPrompt(question, skillMode)
    const found =
      ownSession && ran !== 'no' ? await findPrompt(sessionId, asked.content, state) : undefined
    if (!found) ran = 'no'
    if (!found) await reserve()
    const prompt = found ?? (await graph.createPrompt(contextNow(), { sessionId }, asked))
    const { id, content } = prompt
    const skillName = prompt.skillName ?? question.skillName ?? null
    cache.keepPrompt(
      request,
      { sessionId, promptId: id },
      { content, skillName: skillNameOf({ content, skillName }) },
    )
    Object.assign(told, { sessionId, promptId: id, evaluationId: undefined })
    return { type: 'promptCreated', step, promptId: id }
  }

  async function createEvaluation(
    { step, promptId, except }: Extract<RunAction, { do: 'createEvaluation' }>,
    { sessionId = '' }: RunState,
  ): Promise<RunEvent> {
    const ids = { sessionId, promptId }
    Object.assign(told, { ...ids, evaluationId: undefined })
    const created = await runOnce(graph, contextNow(), ids, {
      clock,
      ran,
      except,
      // What a driver before created is adopted, whatever is left of the budget.
      async beforeEach() {
        await reserve()
        await beforeEach()
      },
      maySend,
    })
    ran = 'no'
    running = created.evaluation
    if (created.adopted) await returnReserved()
    giveBack = undefined
    told.evaluationId = running.id
    return { type: 'evaluationCreated', step, evaluationId: running.id }
  }

  /** Polls an evaluation to its end; `undefined` when it was told to stop. */
  async function poll(ids: EvaluationId): Promise<Evaluation | undefined> {
    let latest = running?.id === ids.evaluationId ? running : undefined
    let failingSince: number | undefined
    const beganAt = clock.monotonic()
    while (!isOver()) {
      if (latest && isEnded(latest)) return latest
      if (latest || failingSince !== undefined) {
        const ageMs = latest
          ? clock.now() - Date.parse(latest.createdDateTime)
          : clock.monotonic() - beganAt
        await pause(pace.waitMs(ageMs))
        if (isOver()) break
      }
      try {
        latest = await cache.poll(contextNow(), ids, false)
        failingSince = undefined
      } catch (error) {
        failingSince ??= clock.monotonic()
        const isLong = clock.monotonic() - failingSince > maxFailingMs
        if (isLong || !transient.has(ConnectorError.from(error).code)) throw error
      }
    }
    return undefined
  }

  /** What was reserved is given back, unless an evaluation may have been created. */
  async function unlessSpent<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (mayHaveRun(error)) giveBack = undefined
      await returnReserved()
      throw error
    }
  }

  return {
    close: returnReserved,
    async perform(action, state) {
      switch (action.do) {
        case 'createSession': {
          const name = displayName(prompts[0]?.content ?? '')
          const { id: sessionId } = await unlessSpent(async () => {
            await reserve()
            return graph.createSession(contextNow(), name)
          })
          told.sessionId = sessionId
          return { type: 'sessionCreated', sessionId }
        }
        case 'createPrompt':
          return unlessSpent(() => createPrompt(action.step, state))
        case 'createEvaluation':
          return unlessSpent(() => createEvaluation(action, state))
        case 'poll': {
          const { step, promptId, evaluationId } = action
          const ids = { sessionId: state.sessionId ?? '', promptId, evaluationId }
          Object.assign(told, ids)
          ran = 'no'
          const ended = await poll(ids)
          return (
            ended && {
              type: 'evaluationEnded',
              step,
              evaluationId,
              state: ended.state,
              resultType: ended.result?.type ?? 'unknown',
            }
          )
        }
        case 'wait':
        case 'done':
          return undefined
        default:
          return action satisfies never
      }
    },
  }
}

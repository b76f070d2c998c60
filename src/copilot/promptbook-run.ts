import type { GraphContext } from '../graph/context.ts'
import { runErrors, runStatus, type RunState, type RunStatus } from '../promptbooks/run-state.ts'
import { parseRunId } from '../promptbooks/seal.ts'
import type { KeptRun } from '../run-store/run-store.ts'
import { capacityError } from './capacity.ts'
import type { Patience } from './long-poll.ts'
import { readAnswers, type AnsweredStep } from './promptbook-answers.ts'
import { createAttend, runNotFound } from './promptbook-attend.ts'
import { beginningOf, runIdOf, type PromptbookRequest } from './promptbook-begin.ts'
import type { DriverParts } from './promptbook-driver.ts'
import { createRunHub } from './promptbook-hub.ts'

/** A run of a promptbook, as an action tells it. */
export interface PromptbookReport {
  /** Names it in its URL: a secret of the caller's. */
  readonly runId: string
  /** Empty while there is none, as the next one. */
  readonly sessionId: string
  /** The first prompt's. */
  readonly promptId: string
  readonly status: RunStatus
  /** The steps that began. */
  readonly steps: readonly AnsweredStep[]
  /** Some answers could not be read: ask again. */
  readonly incomplete: boolean
  readonly errors: readonly string[]
  /** In ms since 1970. */
  readonly createdAt: number
  readonly changedAt: number
}

export interface PromptbookRuns {
  /** See Copilot.runPromptbook(). */
  run(
    context: GraphContext,
    request: PromptbookRequest,
    patience: Patience,
  ): Promise<PromptbookReport>
  /** See Copilot.promptbookRun(). */
  poll(context: GraphContext, runId: string, patience?: Patience): Promise<PromptbookReport>
  /** Hands over every run: whoever polls next goes on with it. Resolves when that is done. */
  close(): Promise<void>
}

export interface RunsParts extends DriverParts {
  /** From 0 to 1. */
  readonly random: () => number
}

/** What exists of a run goes into the journal, so that an error of the request carries it. */
function tell({ journal }: GraphContext, { sessionId, steps }: RunState): void {
  const { promptId, evaluationId } = steps.at(-1) ?? {}
  Object.assign(journal.created, { sessionId, promptId, evaluationId })
}

/** Promptbook runs of all connections: begun, gone on with, and read. */
export function createPromptbookRuns(parts: RunsParts): PromptbookRuns {
  const { clock, cache, observer, random } = parts
  const hub = createRunHub(parts)
  const attend = createAttend(hub, clock)

  /** Reads the answers; a run that goes on does not fail for want of one. */
  async function report(
    context: GraphContext,
    runId: string,
    { state, createdAt, changedAt }: KeptRun,
    leniently: boolean,
  ): Promise<PromptbookReport> {
    const status = runStatus(state)
    let incomplete = false
    async function steps(): Promise<AnsweredStep[]> {
      try {
        return await readAnswers(cache, context, state, status === 'Running')
      } catch (error) {
        if (!leniently) throw error
        incomplete = true
        return readAnswers(cache, context, state, true)
      }
    }
    return {
      runId,
      sessionId: state.sessionId ?? '',
      promptId: state.steps[0]?.promptId ?? '',
      status,
      steps: await steps(),
      incomplete,
      errors: runErrors(state),
      createdAt,
      changedAt,
    }
  }

  /** Counts a request that waits for a run. */
  async function counted<T>(work: Promise<T>): Promise<T> {
    observer.longPollsChanged(1)
    try {
      return await work
    } finally {
      observer.longPollsChanged(-1)
    }
  }

  return {
    async run(context, request, patience) {
      const id = runIdOf(context.caller.key, request)
      const beginning = beginningOf(id, request, clock.now())
      const kept = await counted(attend(context, id, patience, beginning))
      tell(context, kept.state)
      if (kept.state.steps.at(-1)?.ended === 'CapacityExceeded')
        throw capacityError(clock.now(), random())
      return report(context, id.runId, kept, true)
    },

    async poll(context, runId, patience) {
      const id = parseRunId(runId)
      if (!id) throw runNotFound()
      const atOnce = { until: clock.monotonic(), signal: context.signal }
      const kept = patience
        ? await counted(attend(context, id, patience))
        : await attend(context, id, atOnce)
      return report(context, runId, kept, false)
    },

    close: hub.close,
  }
}

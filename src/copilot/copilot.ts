import type { EvaluationId, GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Plugin } from '../graph/resources.ts'
import type { IdempotencyStore } from '../idempotency/store.ts'
import type { Clock } from '../lib/clock.ts'
import { memoryRuns } from '../run-store/memory.ts'
import type { RunStore } from '../run-store/run-store.ts'
import type { Observer } from '../telemetry/observer.ts'
import type { Budget } from './budget.ts'
import { createCache } from './cache.ts'
import { requireCapacity } from './capacity.ts'
import { fetchEvaluation, type Run } from './evaluation.ts'
import { waitForEnd, type Patience } from './long-poll.ts'
import type { PollPace } from './poll-interval.ts'
import type { SkillMode } from './prompt.ts'
import { fetchPromptbook, type PromptbookRun } from './promptbook.ts'
import type { PromptbookRequest } from './promptbook-begin.ts'
import { createPromptbookRuns, type PromptbookReport } from './promptbook-run.ts'
import { submitKeyed } from './submit-keyed.ts'
import { submit, type Submission } from './submit.ts'

/**
 * The actions of Security Copilot, each done for the caller of a context. Routes call nothing else.
 */
export interface Copilot {
  /**
   * Runs a prompt: a session (unless one is named), the prompt and its one evaluation, in this
   * order. Then waits for its end as long as `patience` lasts, and returns the run as far as it is
   * known. With an idempotency key, whoever repeats it gets the same run.
   * @throws ConnectorError `PluginNotEnabled` before anything is created; `CapacityExceeded` when
   *   it ended so; `SubmissionUnconfirmed` and the Graph rows; with a key `IdempotencyKeyReused`,
   *   `TooManyKeys`, and `StoreUnavailable` before anything is sent. The ids of what exists are in
   *   the journal of the context.
   */
  submit(context: GraphContext, submission: Submission, patience: Patience): Promise<Run>
  /**
   * Reads how an evaluation stands: one call to Graph, two the first time, side by side, none when
   * it is known to have ended. With `patience`, it waits for the end as long as that lasts.
   * @throws ConnectorError the Graph rows; `EvaluationNotFound` whichever of the three ids is
   *   wrong.
   */
  evaluation(context: GraphContext, ids: EvaluationId, patience?: Patience): Promise<Run>
  /**
   * Reads how a promptbook run stands: the prompt named and every later one of its session.
   * @throws ConnectorError `SessionNotFound`, `PromptNotFound` and the Graph rows.
   */
  promptbook(context: GraphContext, ids: PromptId): Promise<PromptbookRun>
  /**
   * The plugins that are enabled in the workspace: read at most once a minute, or `fresh`.
   * @throws ConnectorError the Graph rows.
   */
  plugins(context: GraphContext, fresh?: boolean): Promise<readonly Plugin[]>
  /**
   * Runs prompts one after the other in one session, each once, until one does not end with
   * success; this replica goes on by itself. Waits for the end as long as `patience` lasts, at
   * least until the first evaluation exists. With an idempotency key, whoever repeats it gets the
   * same run, which goes on from a step that failed for capacity, budget or Graph.
   * @throws ConnectorError as submit() while nothing exists, and then nothing is kept;
   *   `CapacityExceeded` when a step ended so; `Overloaded`.
   */
  runPromptbook(
    context: GraphContext,
    request: PromptbookRequest,
    patience: Patience,
  ): Promise<PromptbookReport>
  /**
   * Reads how a run stands, and drives it from now on when nobody does. With `patience`, it waits
   * for the end as long as that lasts.
   * @throws ConnectorError `RunNotFound`, `StoreUnavailable`, the Graph rows; what the caller's
   *   token lacks, when the run cannot go on for want of it.
   */
  promptbookRun(
    context: GraphContext,
    runId: string,
    patience?: Patience,
  ): Promise<PromptbookReport>
  /** Hands over the runs that this replica drives, and resolves when that is done. */
  close(): Promise<void>
}

export interface CopilotOptions {
  readonly graph: GraphClient
  readonly idempotency: IdempotencyStore
  readonly clock: Clock
  readonly pace: PollPace
  readonly skillMode: SkillMode
  readonly observer: Observer
  readonly budget: Budget
  /** @default in memory */
  readonly runs?: RunStore
  /** From 0 to 1. @default Math.random */
  readonly random?: (() => number) | undefined
}

export function createCopilot(options: CopilotOptions): Copilot {
  const { graph, clock, random = Math.random } = options
  const cache = createCache({ graph, clock, pace: options.pace })
  const parts = { ...options, cache, random, runs: options.runs ?? memoryRuns(clock) }
  const promptbookRuns = createPromptbookRuns(parts)
  return {
    async submit(context, submission, patience) {
      const { idempotencyKey } = submission
      const run = idempotencyKey
        ? await submitKeyed(parts, context, submission, idempotencyKey, patience)
        : await submit(parts, context, submission, patience)
      return requireCapacity(run, clock.now(), random())
    },
    async evaluation(context, ids, patience) {
      const run = await fetchEvaluation(parts.cache, context, ids)
      return patience ? waitForEnd(parts, context, run, patience) : run
    },
    promptbook: (context, ids) => fetchPromptbook(parts, context, ids),
    plugins: async (context, fresh) =>
      (await parts.cache.plugins(context, fresh)).filter(plugin => plugin.isEnabled),
    runPromptbook: promptbookRuns.run,
    promptbookRun: promptbookRuns.poll,
    close: promptbookRuns.close,
  }
}

import { LRUCache } from 'lru-cache'
import type { EvaluationId, GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Evaluation, Plugin } from '../graph/resources.ts'
import type { Clock } from '../lib/clock.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import { isEnded } from './evaluation.ts'
import type { PollPace } from './poll-interval.ts'
import { skillNameOf } from './prompt.ts'

/** The part of a prompt that never changes. */
export interface PromptText {
  readonly content: string
  readonly skillName: string | null
}

/**
 * What is read of Graph once and remembered, for each connection by itself and bounded in bytes.
 * Single flight: concurrent callers share one read.
 */
export interface Cache {
  prompt(context: GraphContext, ids: PromptId): Promise<PromptText>
  /** Remembers a prompt that was just created or listed. */
  keepPrompt(context: GraphContext, ids: PromptId, prompt: PromptText): PromptText
  /**
   * An evaluation as it is now; one that ended does not change, and is remembered for 5 minutes.
   */
  evaluation(context: GraphContext, ids: EvaluationId): Promise<Evaluation>
  /**
   * An evaluation as it was a moment ago, or `fresh`: whoever waits for the same one shares the
   * polls.
   */
  poll(context: GraphContext, ids: EvaluationId, fresh: boolean): Promise<Evaluation>
  /** The workspace's plugins, read at most once a minute (docs/api.md#21-body), or `fresh`. */
  plugins(context: GraphContext, fresh?: boolean): Promise<readonly Plugin[]>
}

export interface CacheOptions {
  readonly graph: GraphClient
  readonly clock: Clock
  /** Hears how long evaluations took that were polled to their end. */
  readonly pace: PollPace
}

/**
 * Bytes of remembered prompts and of remembered results, with what an entry costs beside its text.
 */
const maxPromptBytes = 16 * 1024 * 1024
const maxResultBytes = 32 * 1024 * 1024
const maxPluginBytes = 8 * 1024 * 1024
const entryBytes = 550

/** How long an evaluation that ended is remembered, in ms. */
const endedMs = 5 * 60_000

const pluginListMs = 60_000

/**
 * Polls of one evaluation are shared for so long: a little less than the shortest poll interval.
 */
const sharedPollMs = 400

const never = new AbortController().signal

/**
 * The bytes that a text may take: V8 needs two for each of its characters where one is not Latin.
 */
const bytesOf = (text: string | null | undefined): number => 2 * (text?.length ?? 0)

const promptKey = ({ caller: { key } }: GraphContext, { sessionId, promptId }: PromptId): string =>
  `${key} ${sessionId.toLowerCase()} ${promptId.toLowerCase()}`

const evaluationKey = (context: GraphContext, ids: EvaluationId): string =>
  `${promptKey(context, ids)} ${ids.evaluationId.toLowerCase()}`

/** A read that several may share: that one of them leaves does not end it. */
const shared = (context: GraphContext): GraphContext => ({ ...context, signal: never })

const durationMs = ({ createdDateTime, completedDateTime }: Evaluation): number =>
  Date.parse(completedDateTime ?? '') - Date.parse(createdDateTime)

export function createCache({ graph, clock, pace }: CacheOptions): Cache {
  const perf = { now: () => clock.monotonic() }
  const expiring = (ttl: number) => ({ ttl, ttlResolution: 0, perf })
  const prompts = new LRUCache<string, PromptText>({
    maxSize: maxPromptBytes,
    sizeCalculation: ({ content }) => bytesOf(content) + entryBytes,
  })
  const ended = new LRUCache<string, Evaluation>({
    maxSize: maxResultBytes,
    sizeCalculation: ({ result }) => bytesOf(result?.content) + entryBytes,
    ...expiring(endedMs),
  })
  const plugins = new LRUCache<string, readonly Plugin[]>({
    maxSize: maxPluginBytes,
    sizeCalculation: list =>
      list.reduce(
        (sum, { name, displayName, description }) =>
          sum + bytesOf(name) + bytesOf(displayName) + bytesOf(description) + entryBytes,
        entryBytes,
      ),
    ...expiring(pluginListMs),
  })
  // Evaluations that run have no result yet: their snapshots are small.
  const running = new LRUCache<string, Evaluation>({ max: 10_000, ...expiring(sharedPollMs) })
  const readPrompt = createSingleFlight<PromptText>()
  const readEvaluation = createSingleFlight<Evaluation>()
  const readPlugins = createSingleFlight<readonly Plugin[]>()

  function keep(key: string, evaluation: Evaluation): Evaluation {
    if (isEnded(evaluation)) {
      ended.set(key, evaluation)
      running.delete(key)
    } else {
      running.set(key, evaluation)
    }
    return evaluation
  }

  return {
    async prompt(context, ids) {
      const key = promptKey(context, ids)
      const known = prompts.get(key)
      if (known) return known
      return readPrompt(key, async () => {
        const { content, skillName } = await graph.getPrompt(shared(context), ids)
        const text = { content, skillName: skillNameOf({ content, skillName }) }
        prompts.set(key, text)
        return text
      })
    },

    keepPrompt(context, ids, prompt) {
      prompts.set(promptKey(context, ids), prompt)
      return prompt
    },

    async evaluation(context, ids) {
      const key = evaluationKey(context, ids)
      return ended.get(key) ?? keep(key, await graph.getEvaluation(context, ids))
    },

    async poll(context, ids, fresh) {
      const key = evaluationKey(context, ids)
      const known = ended.get(key) ?? (fresh ? undefined : running.get(key))
      if (known) return known
      return readEvaluation(fresh ? `${key} fresh` : key, async () => {
        const polling = { ...shared(context), urgency: 'poll' as const }
        const evaluation = await graph.getEvaluation(polling, ids)
        if (isEnded(evaluation) && !ended.has(key)) pace.note(durationMs(evaluation))
        return keep(key, evaluation)
      })
    },

    async plugins(context, fresh = false) {
      const { key } = context.caller
      const known = fresh ? undefined : plugins.get(key)
      if (known) return known
      return readPlugins(key, async () => {
        const list = await graph.listPlugins(shared(context))
        plugins.set(key, list)
        return list
      })
    },
  }
}

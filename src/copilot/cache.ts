import { LRUCache } from 'lru-cache'
import type { EvaluationId, GraphClient, PromptId } from '../graph/client.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Evaluation, Plugin } from '../graph/resources.ts'
import type { Clock } from '../lib/clock.ts'
import { skillNameOf } from './prompt.ts'

/** The part of a prompt that never changes. */
export interface PromptText {
  readonly content: string
  readonly skillName: string | null
}

/**
 * What is read of Graph once and remembered, for each connection by itself; concurrent readers
 * share one read.
 */
export interface Cache {
  prompt(context: GraphContext, ids: PromptId): Promise<PromptText>
  /** Remembers a prompt that was just created or listed. */
  keepPrompt(context: GraphContext, ids: PromptId, prompt: PromptText): PromptText
  /**
   * An evaluation as it was within the last second, or `fresh`: whoever waits for the same one
   * shares the polls.
   */
  poll(context: GraphContext, ids: EvaluationId, fresh: boolean): Promise<Evaluation>
  /** The workspace's plugins, read at most once a minute (docs/api.md#21-body). */
  plugins(context: GraphContext): Promise<readonly Plugin[]>
}

/** Characters of remembered prompts: 16 MiB, twice as much where they are not Latin. */
const maxPromptCharacters = 16 * 1024 * 1024

/** What an entry costs beside its text, in characters of one byte, as measured. */
const entryOverhead = 550

/**
 * Polls of one evaluation are shared for so long: a little less than the shortest pause between two
 * polls.
 */
const sharedPollMs = 900

const maxPolled = 10_000

const maxPluginLists = 1000
const pluginListMs = 60_000

const promptKey = ({ caller: { key } }: GraphContext, { sessionId, promptId }: PromptId): string =>
  `${key} ${sessionId.toLowerCase()} ${promptId.toLowerCase()}`

export function createCache(graph: GraphClient, clock: Clock): Cache {
  const prompts = new LRUCache<string, PromptText, { context: GraphContext; ids: PromptId }>({
    maxSize: maxPromptCharacters,
    sizeCalculation: ({ content }) => content.length + entryOverhead,
    fetchMethod: async (_key, _stale, { context: { context, ids } }) => {
      const { content, skillName } = await graph.getPrompt(context, ids)
      return { content, skillName: skillNameOf({ content, skillName }) }
    },
  })
  const plugins = new LRUCache<string, readonly Plugin[], GraphContext>({
    max: maxPluginLists,
    ttl: pluginListMs,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
    fetchMethod: (_key, _stale, { context }) => graph.listPlugins(context),
  })

  const polled = new LRUCache<string, Evaluation, { context: GraphContext; ids: EvaluationId }>({
    max: maxPolled,
    ttl: sharedPollMs,
    ttlResolution: 0,
    perf: { now: () => clock.monotonic() },
    fetchMethod: (_key, _stale, { context: { context, ids } }) => graph.getEvaluation(context, ids),
  })

  return {
    poll: (context, ids, fresh) =>
      polled.forceFetch(`${promptKey(context, ids)} ${ids.evaluationId}`, {
        context: { context, ids },
        forceRefresh: fresh,
      }),
    prompt: (context, ids) =>
      prompts.forceFetch(promptKey(context, ids), { context: { context, ids } }),
    keepPrompt(context, ids, prompt) {
      prompts.set(promptKey(context, ids), prompt)
      return prompt
    },
    plugins: context => plugins.forceFetch(context.caller.key, { context }),
  }
}

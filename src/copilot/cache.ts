import { LRUCache } from 'lru-cache'
import type { Clock } from '../lib/clock.ts'
import type { Connection } from '../auth/caller.ts'
import type { EvaluationId, GraphClient, PromptId } from '../graph/client.ts'
import type { Evaluation, Plugin } from '../graph/resources.ts'
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
export interface Memory {
  prompt(as: Connection, ids: PromptId): Promise<PromptText>
  /** Remembers a prompt that was just created or listed. */
  keepPrompt(as: Connection, ids: PromptId, prompt: PromptText): PromptText
  /**
   * An evaluation as it was within the last second, or `fresh`: whoever waits for the same one
   * shares the polls.
   */
  poll(as: Connection, ids: EvaluationId, fresh: boolean): Promise<Evaluation>
  /** The workspace's plugins, read at most once a minute (contract, section 2). */
  plugins(as: Connection): Promise<readonly Plugin[]>
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

const promptKey = ({ key }: Connection, { sessionId, promptId }: PromptId): string =>
  `${key} ${sessionId.toLowerCase()} ${promptId.toLowerCase()}`

export function createMemory(graph: GraphClient, clock: Clock): Memory {
  const prompts = new LRUCache<string, PromptText, { as: Connection; ids: PromptId }>({
    maxSize: maxPromptCharacters,
    sizeCalculation: ({ content }) => content.length + entryOverhead,
    fetchMethod: async (_key, _stale, { context: { as, ids } }) => {
      const { content, skillName } = await graph.getPrompt(as, ids)
      return { content, skillName: skillNameOf({ content, skillName }) }
    },
  })
  const plugins = new LRUCache<string, readonly Plugin[], Connection>({
    max: maxPluginLists,
    ttl: pluginListMs,
    ttlResolution: 0,
    perf: clock,
    fetchMethod: (_key, _stale, { context: as }) => graph.listPlugins(as),
  })

  const polled = new LRUCache<string, Evaluation, { as: Connection; ids: EvaluationId }>({
    max: maxPolled,
    ttl: sharedPollMs,
    ttlResolution: 0,
    perf: clock,
    fetchMethod: (_key, _stale, { context: { as, ids } }) => graph.getEvaluation(as, ids),
  })

  return {
    poll: (as, ids, fresh) =>
      polled.forceFetch(`${promptKey(as, ids)} ${ids.evaluationId}`, {
        context: { as, ids },
        forceRefresh: fresh,
      }),
    prompt: (as, ids) => prompts.forceFetch(promptKey(as, ids), { context: { as, ids } }),
    keepPrompt(as, ids, prompt) {
      prompts.set(promptKey(as, ids), prompt)
      return prompt
    },
    plugins: as => plugins.forceFetch(as.key, { context: as }),
  }
}

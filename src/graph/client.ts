import type { z } from 'zod'
import type { Connection } from '../auth/caller.ts'
import { ConnectorError, type ErrorCode } from '../errors.ts'
import { maxPages, nextPagePath } from './next-page.ts'
import type { Operation, SendToGraph } from './request.ts'
import {
  evaluation,
  evaluationPage,
  page,
  plugin,
  prompt,
  session,
  type Evaluation,
  type Page,
  type Plugin,
  type Prompt,
  type Session,
} from './resources.ts'

export interface SessionId {
  readonly sessionId: string
}
export interface PromptId extends SessionId {
  readonly promptId: string
}
export interface EvaluationId extends PromptId {
  readonly evaluationId: string
}

/**
 * What a prompt is created from. Graph accepts type "prompt" only (graph-api.md, 4.1); "skill"
 * waits for the day it does.
 */
export type NewPrompt =
  | { readonly type: 'prompt'; readonly content: string }
  | {
      readonly type: 'skill'
      readonly content: string
      readonly skillName: string
      readonly inputs: {
        readonly keyValuePairs: readonly { readonly name: string; readonly value: string }[]
      }
    }

/**
 * The Security Copilot API of Graph beta: one method an operation, each done as the connection
 * given. Every method throws ConnectorError: the Graph rows of the catalogue, or the 404 of the
 * deepest id it names.
 */
export interface GraphClient {
  listPlugins(as: Connection): Promise<Plugin[]>
  createSession(as: Connection, displayName: string): Promise<Session>
  listPrompts(as: Connection, ids: SessionId): Promise<Prompt[]>
  createPrompt(as: Connection, ids: SessionId, prompt: NewPrompt): Promise<Prompt>
  getPrompt(as: Connection, ids: PromptId): Promise<Prompt>
  listEvaluations(as: Connection, ids: PromptId): Promise<Evaluation[]>
  /** Runs the prompt. Each evaluation spends capacity. */
  createEvaluation(as: Connection, ids: PromptId): Promise<Evaluation>
  getEvaluation(as: Connection, ids: EvaluationId): Promise<Evaluation>
}

export interface GraphClientOptions {
  readonly send: SendToGraph
  readonly baseUrl: string
  readonly workspaceId: string
}

interface ListCall<Item> {
  readonly path: string
  readonly schema: z.ZodType<Page<Item>>
  readonly operation: Operation
  readonly action: string
  readonly notFound: ErrorCode
}

export function createGraphClient({ send, baseUrl, workspaceId }: GraphClientOptions): GraphClient {
  const workspace = `/security/securityCopilot/workspaces/${workspaceId}`
  const sessions = `${workspace}/sessions`
  const prompts = ({ sessionId }: SessionId) => `${sessions}/${sessionId}/prompts`
  const evaluations = (ids: PromptId) => `${prompts(ids)}/${ids.promptId}/evaluations`

  /**
   * Every item of a list, following `@odata.nextLink` (https://learn.microsoft.com/graph/paging).
   */
  async function list<Item>(
    as: Connection,
    { path, ...listCall }: ListCall<Item>,
  ): Promise<Item[]> {
    const call = { ...listCall, repeat: 'freely' } as const
    const items: Item[] = []
    let next: string | undefined = path
    for (let pages = 0; next !== undefined; pages += 1) {
      if (pages === maxPages) {
        throw new ConnectorError(
          'GraphInvalidResponse',
          `Cannot ${call.action}: more than ${maxPages} pages`,
        )
      }
      const { value, '@odata.nextLink': link }: Page<Item> = await send(as, {
        method: 'GET',
        path: next,
        ...call,
      })
      items.push(...value)
      next = link === undefined ? undefined : nextPagePath(link, baseUrl, call.action)
    }
    return items
  }

  return {
    listPlugins: as =>
      list(as, {
        path: `${workspace}/plugins`,
        schema: page(plugin),
        operation: 'listPlugins',
        action: 'list the plugins',
        notFound: 'GraphError',
      }),

    createSession: (as, displayName) =>
      send(as, {
        method: 'POST',
        path: sessions,
        body: { displayName },
        schema: session,
        operation: 'createSession',
        action: 'create the session',
        notFound: 'GraphError',
        repeat: 'freely',
      }),

    listPrompts: (as, ids) =>
      list(as, {
        path: prompts(ids),
        schema: page(prompt),
        operation: 'listPrompts',
        action: 'list the prompts',
        notFound: 'SessionNotFound',
      }),

    createPrompt: (as, ids, body) =>
      send(as, {
        method: 'POST',
        path: prompts(ids),
        body,
        schema: prompt,
        operation: 'createPrompt',
        action: 'create the prompt',
        notFound: 'SessionNotFound',
        repeat: 'freely',
      }),

    getPrompt: (as, ids) =>
      send(as, {
        method: 'GET',
        path: `${prompts(ids)}/${ids.promptId}`,
        schema: prompt,
        operation: 'getPrompt',
        action: 'read the prompt',
        notFound: 'PromptNotFound',
        repeat: 'freely',
      }),

    listEvaluations: (as, ids) =>
      list(as, {
        path: evaluations(ids),
        schema: evaluationPage,
        operation: 'listEvaluations',
        action: 'list the evaluations',
        notFound: 'PromptNotFound',
      }),

    createEvaluation: (as, ids) =>
      send(as, {
        method: 'POST',
        path: evaluations(ids),
        body: {},
        schema: evaluation,
        operation: 'createEvaluation',
        action: 'create the evaluation',
        notFound: 'PromptNotFound',
        repeat: 'unless-run',
      }),

    getEvaluation: (as, ids) =>
      send(as, {
        method: 'GET',
        path: `${evaluations(ids)}/${ids.evaluationId}`,
        schema: evaluation,
        operation: 'getEvaluation',
        action: 'read the evaluation',
        notFound: 'EvaluationNotFound',
        repeat: 'freely',
      }),
  }
}

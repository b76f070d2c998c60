import type { z } from 'zod'
import { ConnectorError, type ErrorCode } from '../errors.ts'
import type { GraphContext } from './context.ts'
import type { GraphOperation, SendToGraph } from './request.ts'
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
 * What a prompt is created from. Graph accepts type "prompt" only; "skill"
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
  listPlugins(context: GraphContext): Promise<Plugin[]>
  createSession(context: GraphContext, displayName: string): Promise<Session>
  listPrompts(context: GraphContext, ids: SessionId): Promise<Prompt[]>
  createPrompt(context: GraphContext, ids: SessionId, prompt: NewPrompt): Promise<Prompt>
  getPrompt(context: GraphContext, ids: PromptId): Promise<Prompt>
  /** @param how `despiteCircuit` asks even while the circuit is open. */
  listEvaluations(
    context: GraphContext,
    ids: PromptId,
    how?: { readonly despiteCircuit: boolean },
  ): Promise<Evaluation[]>
  /**
   * Runs the prompt. Each evaluation spends capacity.
   * @param maySend fence: asked when the request is about to leave, whether it still may.
   * @throws ConnectorError also with `inner.fenced`: it was not sent.
   */
  createEvaluation(
    context: GraphContext,
    ids: PromptId,
    maySend?: () => boolean,
  ): Promise<Evaluation>
  getEvaluation(context: GraphContext, ids: EvaluationId): Promise<Evaluation>
}

export interface GraphClientOptions {
  readonly send: SendToGraph
  readonly baseUrl: string
  readonly workspaceId: string
}

interface ListCall<Item> {
  readonly path: string
  readonly schema: z.ZodType<Page<Item>>
  readonly operation: GraphOperation
  readonly action: string
  readonly notFound: ErrorCode
  readonly despiteCircuit?: boolean
}

/**
 * A list longer than this many pages is not followed further: it is refused, never cut short in
 * silence.
 */
const maxPages = 100

/** A path for comparison: keys as `('x')` are segments too, and case tells nothing apart. */
const plainPath = (path: string): string =>
  path
    .replace(/\('([^']*)'\)/g, '/$1')
    .replace(/\/+/g, '/')
    .replace(/\/$/, '')
    .toLowerCase()

/**
 * The path of the next page, relative to the base URL. A link that leaves its collection would
 * carry the caller's token elsewhere, so it is refused (docs/api.md#74-paging). Pure.
 * @throws ConnectorError `GraphInvalidResponse`
 */
export function nextPagePath(
  nextLink: string,
  baseUrl: string,
  collection: string,
  action: string,
): string {
  const base = new URL(baseUrl)
  const next = URL.canParse(nextLink) ? new URL(nextLink) : undefined
  const own = next && plainPath(next.pathname) === plainPath(`${base.pathname}/${collection}`)
  if (next?.origin !== base.origin || next.username || next.password || !own) {
    throw new ConnectorError(
      'GraphInvalidResponse',
      `Cannot ${action}: the next page lies outside its collection`,
    )
  }
  return collection + next.search
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
    context: GraphContext,
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
      const { value, '@odata.nextLink': link }: Page<Item> = await send(context, {
        method: 'GET',
        path: next,
        ...call,
      })
      items.push(...value)
      next = link === undefined ? undefined : nextPagePath(link, baseUrl, path, call.action)
    }
    return items
  }

  return {
    listPlugins: context =>
      list(context, {
        path: `${workspace}/plugins`,
        schema: page(plugin),
        operation: 'listPlugins',
        action: 'list the plugins',
        notFound: 'GraphError',
      }),

    createSession: (context, displayName) =>
      send(context, {
        method: 'POST',
        path: sessions,
        body: { displayName },
        schema: session,
        operation: 'createSession',
        action: 'create the session',
        notFound: 'GraphError',
        repeat: 'freely',
      }),

    listPrompts: (context, ids) =>
      list(context, {
        path: prompts(ids),
        schema: page(prompt),
        operation: 'listPrompts',
        action: 'list the prompts',
        notFound: 'SessionNotFound',
      }),

    createPrompt: (context, ids, body) =>
      send(context, {
        method: 'POST',
        path: prompts(ids),
        body,
        schema: prompt,
        operation: 'createPrompt',
        action: 'create the prompt',
        notFound: 'SessionNotFound',
        repeat: 'freely',
      }),

    getPrompt: (context, ids) =>
      send(context, {
        method: 'GET',
        path: `${prompts(ids)}/${ids.promptId}`,
        schema: prompt,
        operation: 'getPrompt',
        action: 'read the prompt',
        notFound: 'PromptNotFound',
        repeat: 'freely',
      }),

    listEvaluations: (context, ids, how) =>
      list(context, {
        path: evaluations(ids),
        schema: evaluationPage,
        operation: 'listEvaluations',
        ...how,
        action: 'list the evaluations',
        notFound: 'PromptNotFound',
      }),

    createEvaluation: (context, ids, maySend) =>
      send(context, {
        method: 'POST',
        path: evaluations(ids),
        body: {},
        schema: evaluation,
        operation: 'createEvaluation',
        action: 'create the evaluation',
        notFound: 'PromptNotFound',
        repeat: 'unless-run',
        maySend,
      }),

    getEvaluation: (context, ids) =>
      send(context, {
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

import type { Call } from './call.ts'
import { pageOf, select } from './odata.ts'

/** What is answered: a status and a JSON body with Graph's annotations. */
export interface Answer {
  readonly status: number
  readonly body: object
}

/** A kind of resource: its place in the API, and the two properties that its tip names. */
export interface Resource {
  contextOf(params: Call['params']): string
  readonly tip: string
}

const workspaceContext = ({ workspace }: Call['params']) =>
  `security/securityCopilot/workspaces('${workspace}')`
const sessionsContext = (params: Call['params']) => `${workspaceContext(params)}/sessions`
const promptsContext = (params: Call['params']) =>
  `${sessionsContext(params)}('${params.session}')/prompts`
const evaluationsContext = (params: Call['params']) =>
  `${promptsContext(params)}('${params.prompt}')/evaluations`

export const plugins: Resource = {
  contextOf: params => `${workspaceContext(params)}/plugins`,
  tip: 'authorization,catalogScope',
}
export const sessions: Resource = { contextOf: sessionsContext, tip: 'createdDateTime,displayName' }
export const prompts: Resource = { contextOf: promptsContext, tip: 'content,createdDateTime' }
export const evaluations: Resource = {
  contextOf: evaluationsContext,
  tip: 'completedDateTime,createdDateTime',
}

/** Keys as a tip writes them: left open. */
const openKeys = (context: string): string =>
  context
    .replace(/workspaces\('[^']*'\)/, "workspaces('<key>')")
    .replaceAll(/s\('[^'<]*'\)/g, "s('<guid>')")

const tips = (context: string, key: string, properties: string): string =>
  'Use $select to choose only the properties your app needs, as this can lead to performance improvements. ' +
  `For example: GET ${openKeys(context)}${key}?$select=${properties}`

/** How lists are cut into pages. */
export interface PagingOptions {
  /** Items on a page of a list. @default 100 */
  readonly pageSize?: number | undefined
  /** Whether `$top` makes pages shorter. @default true */
  readonly honoursTop?: boolean | undefined
  /** Where links to next pages lead. @default the API's root as the caller wrote it */
  readonly linksTo?: string | undefined
}

/** A page of a collection. */
export function listed(
  call: Call,
  { contextOf, tip }: Resource,
  items: readonly object[],
  { pageSize = 100, honoursTop = true, linksTo = call.base }: PagingOptions,
): Answer {
  const { $top, ...withoutTop } = call.query
  const query = honoursTop ? call.query : withoutTop
  const { items: value, count, skipToken } = pageOf(items, query, pageSize)
  const context = contextOf(call.params)
  const next = new URLSearchParams({ ...call.query, $skiptoken: skipToken ?? '' })
  return {
    status: 200,
    body: {
      '@odata.context': `${call.base}/$metadata#${context}`,
      '@microsoft.graph.tips': tips(context, '', tip),
      ...(call.query['$count'] === 'true' && { '@odata.count': count }),
      ...(skipToken !== undefined && {
        '@odata.nextLink': `${linksTo}${call.path}?${next.toString()}`,
      }),
      value,
    },
  }
}

/** One entity that was read; `key` is how the tip writes its key. */
export function read(
  call: Call,
  { contextOf, tip }: Resource,
  entity: object,
  key = "('<guid>')",
): Answer {
  const context = contextOf(call.params)
  return {
    status: 200,
    body: {
      '@odata.context': `${call.base}/$metadata#${context}/$entity`,
      '@microsoft.graph.tips': tips(context, key, tip),
      ...select(entity, call.query),
    },
  }
}

/** One entity that was written: no tips. */
export const written = (
  call: Call,
  { contextOf }: Resource,
  entity: object,
  status = 201,
): Answer => ({
  status,
  body: { '@odata.context': `${call.base}/$metadata#${contextOf(call.params)}/$entity`, ...entity },
})

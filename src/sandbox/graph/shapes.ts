import type { Operation } from './markers.ts'

/** What a member of an entity was: its JSON type, or for text its form. */
export const kinds = [
  'absent',
  'null',
  'text',
  'guid',
  'dateTime',
  'number',
  'boolean',
  'object',
  'list',
] as const
export type Kind = (typeof kinds)[number]

/** The kinds of every member, by its path: `result/content`. */
export type Shape = Readonly<Record<string, readonly Kind[]>>

const nullableText: readonly Kind[] = ['null', 'text']
const annotation: readonly Kind[] = ['absent', 'text']
const annotations: Shape = {
  '@odata.context': annotation,
  '@microsoft.graph.tips': annotation,
  '@odata.type': annotation,
}
const dated: Shape = { createdDateTime: ['dateTime'], lastModifiedDateTime: ['dateTime'] }

const entities = {
  workspace: { ...annotations, id: ['guid'], displayName: nullableText },
  session: { ...annotations, id: ['guid'], ...dated, displayName: nullableText },
  prompt: {
    ...annotations,
    id: ['guid'],
    type: ['text'],
    ...dated,
    skillName: nullableText,
    content: nullableText,
    inputs: ['null', 'object'],
    'inputs/keyValuePairs': ['list'],
    skillInputDescriptors: ['null', 'list'],
  },
  evaluation: {
    ...annotations,
    id: ['guid'],
    ...dated,
    runStartDateTime: ['dateTime'],
    completedDateTime: ['dateTime'],
    state: ['text'],
    executionCount: ['number'],
    isCancelled: ['boolean'],
    result: ['null', 'object'],
    'result/content': nullableText,
    'result/type': ['text'],
    'result/previewState': ['text'],
  },
  plugin: {
    ...annotations,
    name: ['text'],
    displayName: nullableText,
    description: nullableText,
    category: ['text'],
    catalogScope: ['text'],
    previewState: ['text'],
    isEnabled: ['boolean'],
    authorization: ['null', 'object'],
    'authorization/authType': ['absent', 'text'],
    settings: ['list'],
    supportedAuthTypes: ['absent', 'null', 'text', 'list'],
  },
} as const satisfies Record<string, Shape>

/** What each operation answers with, or a list of it, by the type metadata of Graph beta. */
export const assumedShapes: Readonly<Record<Operation, Shape>> = {
  listWorkspaces: entities.workspace,
  listPlugins: entities.plugin,
  listSessions: entities.session,
  createSession: entities.session,
  getSession: entities.session,
  updateSession: entities.session,
  listPrompts: entities.prompt,
  createPrompt: entities.prompt,
  getPrompt: entities.prompt,
  listEvaluations: entities.evaluation,
  createEvaluation: entities.evaluation,
  getEvaluation: entities.evaluation,
}

const guid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** The kind of a JSON value. Pure. */
export function kindOf(value: unknown): Kind {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') {
    if (guid.test(value)) return 'guid'
    return dateTime.test(value) ? 'dateTime' : 'text'
  }
  return typeof value as 'number' | 'boolean' | 'object'
}

/** Text is text, whatever it looks like. */
const isAssumed = (kind: Kind, assumed: readonly Kind[]): boolean =>
  assumed.includes(kind) || (assumed.includes('text') && (kind === 'guid' || kind === 'dateTime'))

/** The members of a shape that are new, or of kinds that were not assumed. Pure. */
export function shapeDifferences(seen: Shape, assumed: Shape): Shape {
  const different = Object.entries(seen).map(([path, those]): [string, Kind[]] => {
    const known = Object.hasOwn(assumed, path) ? (assumed[path] ?? []) : []
    return [path, those.filter(kind => !isAssumed(kind, known))]
  })
  return Object.fromEntries(different.filter(([, those]) => those.length > 0))
}

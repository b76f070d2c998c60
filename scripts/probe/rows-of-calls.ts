import { operations, type Operation } from '../../src/sandbox/graph/markers.ts'
import { assumedShapes, shapeDifferences } from '../../src/sandbox/graph/shapes.ts'
import { refusedOperations, widerPermissions } from '../../src/sandbox/graph/facts.ts'
import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import type { Outcome } from '../../src/sandbox/graph/attempts.ts'
import type { RowRule } from './row-rule.ts'

export const showOutcome = ({ status, code }: Outcome): string =>
  status === 0 ? 'no answer' : code === undefined ? String(status) : `${status} ${code}`

/** `content: null; owner: text`. */
const showShape = (shape: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(shape)
    .map(([path, kinds]) => `${path}: ${kinds.join(' or ')}`)
    .join('; ')

/** How this service fares without the operation. */
const withoutIt: Readonly<Partial<Record<Operation, string>>> = {
  listPlugins: 'Skillsets cannot be checked.',
  createSession: 'Submit works only in sessions that exist.',
  createPrompt: 'Submit does not work.',
  createEvaluation: 'Submit does not work.',
  getEvaluation: 'Results cannot be fetched.',
  getPrompt: 'Results have no skillName and no PromptContent.',
  listPrompts: 'Promptbook results cannot be fetched.',
  listEvaluations: 'Promptbook results, and evaluations whose answer was lost, are not found.',
}

const callRow = (operation: Operation): RowRule => ({
  key: `call.${operation}`,
  question: `Does ${operation} work with this token?`,
  assumed: operation.startsWith('create') ? '201' : '200',
  means: withoutIt[operation] ?? 'This service does not use it.',
  setting: `refused.${operation}`,
  see(facts) {
    const outcome = facts.calls[operation]
    if (!outcome) return undefined
    const worked = outcome.status >= 200 && outcome.status < 300
    if (!worked && !Object.hasOwn(refusedOperations(facts), operation)) return undefined
    const { sometimes } = outcome
    return {
      seen: showOutcome(outcome) + (sometimes ? `, at times ${showOutcome(sometimes)}` : ''),
      differs: !worked || sometimes !== undefined,
    }
  },
})

function seeShape(operation: Operation, { shapes, unread }: Facts) {
  const shape = shapes[operation]
  if (!shape) return undefined
  const differences = shapeDifferences(shape, assumedShapes[operation])
  const differs = Object.keys(differences).length > 0
  const read = unread.includes(operation) ? '; this service cannot read it' : ''
  return { seen: differs ? showShape(differences) + read : 'the same', differs }
}

const shapeRow = (operation: Operation): RowRule => ({
  key: `shape.${operation}`,
  question: `Which members does ${operation} answer with, and of what kinds?`,
  assumed: 'the members of the type metadata',
  means: 'Unknown members are let through; what this service cannot read is a 502.',
  setting: `shapes.${operation}`,
  see: facts => seeShape(operation, facts),
})

const permissionRow = (
  key: string,
  way: 'read' | 'write',
  question: string,
  assumed: string,
): RowRule => ({
  key,
  question,
  assumed,
  means: 'The service asks for both permissions; one would do if it works.',
  setting: `permissions.${way}`,
  see(facts) {
    const { graphToken } = facts
    const other = way === 'read' ? graphToken?.write : graphToken?.read
    const alone = graphToken && graphToken.kind !== 'opaque' && !graphToken[way] && other
    if (!alone) return undefined
    const differs = widerPermissions(facts)[way]
    return { seen: differs ? 'yes' : 'no', differs }
  },
})

/** Whether each operation works, what it answers with, and what it needs. */
export const callRows: readonly RowRule[] = [
  ...operations.map(callRow),
  ...operations.map(shapeRow),
  permissionRow('permission.read', 'read', 'Does ReadWrite.All read as well?', 'no'),
  permissionRow('permission.write', 'write', 'Does Read.All create prompts as well?', 'no'),
]

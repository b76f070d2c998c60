import type { z } from 'zod'
import {
  evaluation,
  evaluationPage,
  page,
  plugin,
  prompt,
  session,
} from '../../src/graph/resources.ts'
import type { Attempt, Outcome } from '../../src/sandbox/graph/attempts.ts'
import {
  factsSchema,
  isPlainMember,
  withheld,
  type Facts,
  type Trouble,
} from '../../src/sandbox/graph/facts-schema.ts'
import type { Operation } from '../../src/sandbox/graph/markers.ts'
import { assumedShapes, kindOf, type Kind, type Shape } from '../../src/sandbox/graph/shapes.ts'
import type { Seen } from './ask.ts'
import { headerFacts, latencyFacts } from './wire-facts.ts'

/** What this service reads of each answer. It does not list workspaces. */
const readers: Readonly<Partial<Record<Operation, z.ZodType>>> = {
  listPlugins: page(plugin),
  createSession: session,
  listPrompts: page(prompt),
  createPrompt: prompt,
  getPrompt: prompt,
  listEvaluations: evaluationPage,
  createEvaluation: evaluation,
  getEvaluation: evaluation,
}

/** Members and items that are looked at; the rest of a longer answer is not. */
const maxMembers = 60
const maxItems = 1000

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The members of an entity and their kinds. Looks into members that are known to be objects, never
 * into others: their names could be anything.
 */
function* membersOf(entity: Members, assumed: Shape, prefix = ''): Generator<[string, Kind]> {
  for (const path of Object.keys(assumed)) {
    const name = path.slice(prefix.length)
    if (path.startsWith(prefix) && !name.includes('/') && !Object.hasOwn(entity, name))
      yield [path, 'absent']
  }
  for (const [name, value] of Object.entries(entity).slice(0, maxMembers)) {
    const path = prefix + name
    const known = Object.hasOwn(assumed, path)
    yield [known || isPlainMember(name) ? path : prefix + withheld, kindOf(value)]
    if (known && isObject(value)) yield* membersOf(value, assumed, `${path}/`)
  }
}

/** How a call ended. */
export const outcomeOf = ({ status, code }: Seen): Outcome =>
  code === undefined ? { status } : { status, code }

const isSuccess = ({ status }: Outcome): boolean => status >= 200 && status < 300

export type Notebook = ReturnType<typeof createNotebook>

/** Collects facts, and nothing else, of what is seen. */
export function createNotebook(proxied: boolean) {
  const calls = new Map<Operation, Outcome & { readonly sometimes?: Outcome }>()
  const shapes = new Map<Operation, Map<string, Set<Kind>>>()
  const unread = new Set<Operation>()
  const outcomes = new Map<Attempt, Outcome>()
  const troubles = new Set<Trouble>()
  const answers: Omit<Seen, 'body'>[] = []
  let further: Partial<Facts> = {}

  function noteShape(operation: Operation, body: unknown): void {
    if (!isObject(body)) return
    const list = body['value']
    const items: readonly unknown[] = Array.isArray(list) ? list.slice(0, maxItems) : [body]
    const shape = shapes.get(operation) ?? new Map<string, Set<Kind>>()
    for (const item of items.filter(isObject)) {
      for (const [path, kind] of membersOf(item, assumedShapes[operation]))
        shape.set(path, (shape.get(path) ?? new Set()).add(kind))
    }
    if (shape.size > 0) shapes.set(operation, shape)
    if (readers[operation]?.safeParse(body).success === false) unread.add(operation)
  }

  function noteTransport(seen: Seen): void {
    if (seen.trouble) troubles.add(seen.trouble)
    if (seen.status === 0) return
    const { body, ...rest } = seen
    answers.push(rest)
  }

  /** That it worked once is kept, and beside it the last time that it did not. */
  function noteCall(operation: Operation, seen: Seen): void {
    noteTransport(seen)
    const outcome = outcomeOf(seen)
    const known = calls.get(operation)
    if (isSuccess(outcome)) {
      const sometimes = known && !isSuccess(known) ? known : known?.sometimes
      calls.set(operation, sometimes ? { ...outcome, sometimes } : outcome)
      noteShape(operation, seen.body)
    } else {
      calls.set(operation, known && isSuccess(known) ? { ...known, sometimes: outcome } : outcome)
    }
  }

  return {
    noteCall,

    /** How an attempt ended. */
    noteAttempt(attempt: Attempt, seen: Seen): void {
      noteTransport(seen)
      if (seen.status !== 0) outcomes.set(attempt, outcomeOf(seen))
    },

    /** The status of an operation, 0 before it was asked for. */
    status: (operation: Operation): number => calls.get(operation)?.status ?? 0,

    /** The facts that were read elsewhere. */
    noted: (): Partial<Facts> => further,

    noteTrouble({ trouble }: Seen): void {
      if (trouble) troubles.add(trouble)
    },

    /** Facts that are read elsewhere. */
    note(facts: Partial<Facts>): void {
      further = { ...further, ...facts }
    },

    /** @throws ZodError when a fact would hold more than it may. */
    facts: (): Facts =>
      factsSchema.parse({
        ...further,
        ...latencyFacts(answers),
        ...headerFacts(answers),
        calls: Object.fromEntries(calls),
        shapes: Object.fromEntries(
          Array.from(shapes, ([name, shape]) => [
            name,
            Object.fromEntries(Array.from(shape, ([path, those]) => [path, [...those]])),
          ]),
        ),
        unread: [...unread],
        outcomes: Object.fromEntries(outcomes),
        troubles: [...troubles],
        proxied,
      }),
  }
}

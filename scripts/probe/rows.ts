import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import { callRows } from './rows-of-calls.ts'
import { outcomeRows } from './rows-of-outcomes.ts'
import { runRows } from './rows-of-runs.ts'
import { wireRows } from './rows-of-wire.ts'

export const verdicts = ['as assumed', 'differs', 'not seen', 'noted'] as const
export type Verdict = (typeof verdicts)[number]

/** What was seen of one question; `undefined` when it was not looked at. */
export type Sight = { readonly seen: string; readonly differs: boolean } | undefined

/** A question that a tenant settles. */
export interface Question {
  readonly key: string
  readonly question: string
  /** What the reference pages say or we inferred; `undefined` where nothing is assumed. */
  readonly assumed?: string
  /** What the assumption is for in this service. */
  readonly means: string
  /** The option of the simulator that says it; none where it has none. */
  readonly setting?: string
  see(facts: Facts): Sight
}

export interface Row extends Omit<Question, 'see'> {
  readonly seen: string
  readonly so: Verdict
}

const questions: readonly Question[] = [...callRows, ...outcomeRows, ...runRows, ...wireRows]

/** Every question with its answer, as far as there is one. Pure. */
export function rowsOf(facts: Facts): Row[] {
  return questions.map(({ see, ...question }) => {
    const sight = see(facts)
    if (!sight) return { ...question, seen: '-', so: 'not seen' }
    const noted = question.assumed === undefined
    return {
      ...question,
      seen: sight.seen,
      so: noted ? 'noted' : sight.differs ? 'differs' : 'as assumed',
    }
  })
}

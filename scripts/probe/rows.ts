import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import type { Row, RowRule } from './row-rule.ts'
import { callRows } from './rows-of-calls.ts'
import { outcomeRows } from './rows-of-outcomes.ts'
import { runRows } from './rows-of-runs.ts'
import { wireRows } from './rows-of-wire.ts'

const rules: readonly RowRule[] = [...callRows, ...outcomeRows, ...runRows, ...wireRows]

/** Every question with its answer, as far as there is one. Pure. */
export function rowsOf(facts: Facts): Row[] {
  return rules.map(({ see, ...question }) => {
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

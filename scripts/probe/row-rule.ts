import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'

export const verdicts = ['as assumed', 'differs', 'not seen', 'noted'] as const
export type Verdict = (typeof verdicts)[number]

/** What was seen of one question; `undefined` when it was not looked at. */
export type Sight = { readonly seen: string; readonly differs: boolean } | undefined

/** A question that a tenant settles. */
export interface RowRule {
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

export interface Row extends Omit<RowRule, 'see'> {
  readonly seen: string
  readonly so: Verdict
}

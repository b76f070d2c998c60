import type { Evaluation } from '../graph/resources.ts'

/**
 * Graph spells enum members in camel case, the connector with a capital; members of the future
 * likewise.
 */
const capitalised = (member: string): string => member.charAt(0).toUpperCase() + member.slice(1)

/**
 * `Created`, `Running`, `Completed`, `Cancelled`, `Pending`, `Deferred`, `WaitingForInput`,
 * `Unknown` or a future state.
 */
export const stateOf = ({ state }: Evaluation): string => capitalised(state)

/**
 * `Success`, `Error`, `Rejected`, `TimedOut`, `CapacityExceeded`, `NeedAdditionalClaims` or a
 * future type; `Unknown` while there is no result.
 */
export const resultTypeOf = ({ result }: Evaluation): string =>
  result ? capitalised(result.type) : 'Unknown'

/** Whether nothing more will happen. `Completed` is not success: the result type says which. */
export const isEnded = (evaluation: Evaluation): boolean =>
  ['Completed', 'Cancelled'].includes(stateOf(evaluation))

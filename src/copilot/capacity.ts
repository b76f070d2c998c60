import { ConnectorError } from '../errors.ts'
import { spentNothing, type Run } from './evaluation.ts'

const hourMs = 60 * 60_000

/** Callers that all wait for the same hour are spread over so many seconds. */
const spreadSeconds = 60

/**
 * Why nothing ran: capacity renews at every full hour, so repeating it then is of use. Pure: `now`
 * in ms since 1970, `random` from 0 to 1.
 */
export function capacityError(now: number, random: number): ConnectorError {
  const untilNextHour = Math.ceil((hourMs - (now % hourMs)) / 1000)
  const retryAfterSeconds = untilNextHour + Math.floor(random * spreadSeconds)
  return new ConnectorError(
    'CapacityExceeded',
    'Cannot complete the prompt: the capacity of the workspace is used up until the next full hour',
    { retryAfterSeconds },
  )
}

/**
 * The run, unless it ended for want of capacity. Pure, as capacityError().
 * @throws ConnectorError `CapacityExceeded`
 */
export function requireCapacity(run: Run, now: number, random: number): Run {
  if (!spentNothing(run.evaluation)) return run
  throw capacityError(now, random)
}

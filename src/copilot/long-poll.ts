import type { GraphContext } from '../graph/context.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'
import type { Observer } from '../telemetry/observer.ts'
import type { Cache } from './cache.ts'
import { isEnded, type Run } from './evaluation.ts'
import type { PollPace } from './poll-interval.ts'

/** How long a caller waits for a result. */
export interface Patience {
  /** Deadline, in ms of the monotonic clock. */
  readonly until: number
  /** Aborts when nobody waits any more; the evaluation runs on. */
  readonly signal: AbortSignal
}

export interface LongPollOptions extends Patience {
  readonly clock: Clock
  readonly pace: PollPace
  /** Reads the evaluation anew; a `fresh` reading is nobody else's. */
  read(fresh: boolean): Promise<Evaluation>
}

/** How long after its deadline a long poll may still wait for its last read, in ms. */
const graceMs = 1500

/**
 * Long poll: waits until the evaluation ends, `until` has come or `signal` aborts, and returns the
 * newest snapshot. Never throws: the evaluation runs on and capacity is spent, so a poll that fails
 * ends the wait with what is known, and the caller's own next poll hears the reason. An error here
 * would make a workflow engine send the prompt again. A read that takes too long ends it as well.
 */
export async function longPoll(
  evaluation: Evaluation,
  { clock, pace, until, signal, read }: LongPollOptions,
): Promise<Evaluation> {
  // Its age by the wall clock, once; from then on by the monotonic one.
  const ageMs = clock.now() - Date.parse(evaluation.createdDateTime)
  const createdAt = clock.monotonic() - Math.max(0, ageMs)
  let latest = evaluation
  while (!isEnded(latest) && !signal.aborted) {
    const now = clock.monotonic()
    if (now >= until) break
    await clock.sleep(Math.min(pace.waitMs(now - createdAt), until - now), signal)
    if (signal.aborted) break
    // The last read is fresh, so that nobody hears "running" after another heard the result.
    const fresh = clock.monotonic() >= until
    try {
      latest = await within(until + graceMs - clock.monotonic(), read(fresh))
    } catch {
      break
    }
  }
  return latest
}

export interface WaitParts {
  readonly cache: Cache
  readonly clock: Clock
  readonly pace: PollPace
  readonly observer: Observer
}

/** The run as far as it is known once it ended or patience is over. */
export async function waitForEnd(
  { cache, clock, pace, observer }: WaitParts,
  context: GraphContext,
  run: Run,
  patience: Patience,
): Promise<Run> {
  const { sessionId, promptId } = run
  const ids = { sessionId, promptId, evaluationId: run.evaluation.id }
  const read = (fresh: boolean) => cache.poll(context, ids, fresh)
  observer.longPollsChanged(1)
  try {
    return {
      ...run,
      evaluation: await longPoll(run.evaluation, { ...patience, clock, pace, read }),
    }
  } finally {
    observer.longPollsChanged(-1)
  }
}

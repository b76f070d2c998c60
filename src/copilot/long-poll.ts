import type { Clock } from '../lib/clock.ts'
import type { Connection } from '../auth/caller.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Copilot, Run } from './copilot.ts'
import { holdPollMs } from './pacing.ts'
import { isEnded } from './spelling.ts'

export interface Hold {
  readonly clock: Clock
  /** When to stop waiting, in ms since 1970. */
  readonly until: number
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal
  /** Reads the evaluation anew; a `fresh` reading is nobody else's. */
  read(fresh: boolean): Promise<Evaluation>
}

/**
 * Waits until the evaluation ends, `until` has come or `signal` aborts, and returns the newest
 * snapshot. Never throws: the evaluation runs on and capacity is spent, so a poll that fails ends
 * the wait with what is known, and the caller's own next poll hears the reason. An error here would
 * make a workflow engine send the prompt again.
 */
export async function hold(
  evaluation: Evaluation,
  { clock, until, signal, read }: Hold,
): Promise<Evaluation> {
  const began = clock.now()
  let latest = evaluation
  while (!isEnded(latest) && !signal.aborted) {
    const now = clock.now()
    if (now >= until) break
    await clock.sleep(Math.min(holdPollMs(now - began), until - now), signal)
    if (signal.aborted) break
    try {
      // The last word is fresh, so that nobody hears "running" after another heard the answer.
      latest = await read(clock.now() >= until)
    } catch {
      break
    }
  }
  return latest
}

/** How long a caller waits for an answer. */
export interface Patience {
  /** In ms since 1970. */
  readonly until: number
  /** Aborts when nobody waits any more; the evaluation runs on. */
  readonly signal: AbortSignal
}

/** The run as far as it is known once it ended or patience is over. */
export async function waitFor(
  { memory, clock, observer }: Copilot,
  as: Connection,
  run: Run,
  patience: Patience,
): Promise<Run> {
  const { sessionId, promptId } = run
  const ids = { sessionId, promptId, evaluationId: run.evaluation.id }
  const read = (fresh: boolean) => memory.poll(as, ids, fresh)
  observer.holdsChanged(1)
  try {
    return { ...run, evaluation: await hold(run.evaluation, { ...patience, clock, read }) }
  } finally {
    observer.holdsChanged(-1)
  }
}

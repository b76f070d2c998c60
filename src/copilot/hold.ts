import type { Clock } from '../clock.ts'
import type { Evaluation } from '../graph/schemas.ts'
import { holdPollMs } from './pacing.ts'
import { isEnded } from './spelling.ts'

export interface Hold {
  readonly clock: Clock
  /** When to stop waiting, in ms since 1970. */
  readonly until: number
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal
  /** Reads the evaluation anew. */
  read(): Promise<Evaluation>
}

/**
 * Waits until the evaluation ends, `until` has come or `signal` aborts, and returns the newest snapshot. Never throws: the
 * evaluation runs on and capacity is spent, so a poll that fails ends the wait with what is known, and the caller's own
 * next poll hears the reason. An error here would make a workflow engine send the prompt again.
 */
export async function hold(evaluation: Evaluation, { clock, until, signal, read }: Hold): Promise<Evaluation> {
  const began = clock.now()
  let latest = evaluation
  while (!isEnded(latest) && !signal.aborted) {
    const now = clock.now()
    if (now >= until) break
    await clock.sleep(Math.min(holdPollMs(now - began), until - now), signal)
    if (signal.aborted) break
    try {
      latest = await read()
    } catch {
      break
    }
  }
  return latest
}

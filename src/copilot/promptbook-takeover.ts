import { z } from 'zod'
import type { PromptbookPrompt } from '../promptbooks/book.ts'
import type { RunEvent, RunState } from '../promptbooks/run-state.ts'
import { runStatus } from '../promptbooks/run-state.ts'
import { unseal, type RunKey } from '../promptbooks/seal.ts'
import type { NewRun } from '../run-store/run-store.ts'
import type { RunOptions } from './run-once.ts'

/** What is kept of a run under seal. */
export interface SealedRun {
  readonly prompts: readonly PromptbookPrompt[]
  /** The session is opened for this run alone. */
  readonly ownSession: boolean
}

/** How whoever has claimed a run goes on with it. */
export interface HowToDrive extends SealedRun {
  readonly doneBefore: RunOptions['ran']
  readonly because: RunEvent | undefined
}

const sealedRun = z.object({
  ownSession: z.boolean(),
  prompts: z.array(
    z.object({
      content: z.string(),
      skillName: z.string().optional(),
      skillInputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    }),
  ),
})

/**
 * Whether what is next may have been done before. Nobody can have run a step again that was known
 * to have ended for want of capacity; what was refused did not run, unless that could not be told.
 */
function doneBefore({ steps, failed }: RunState): RunOptions['ran'] {
  if (steps.at(-1)?.ended === 'CapacityExceeded') return 'no'
  if (!failed) return 'perhaps'
  return failed.code === 'SubmissionUnconfirmed' || failed.code === 'InternalError'
    ? 'perhaps'
    : 'unlikely'
}

/**
 * How to go on with a run as the store gave it: with what it still has to ask, whether to look
 * before creating anything, and what its claim changes in it. Undefined when the key does not open
 * what is sealed. Pure.
 */
export function howToDrive(run: NewRun, fresh: boolean, key: RunKey): HowToDrive | undefined {
  const text = unseal(run.sealed, key)
  if (text === undefined) return undefined
  const { state } = run
  const because: RunEvent | undefined =
    runStatus(state) === 'Running' ? state.paused && { type: 'resumed' } : { type: 'retried' }
  return {
    ...sealedRun.parse(JSON.parse(text)),
    doneBefore: fresh ? 'no' : doneBefore(state),
    because,
  }
}

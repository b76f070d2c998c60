import { randomUUID } from 'node:crypto'
import type { Connection } from '../auth/caller.ts'
import { ConnectorError } from '../errors.ts'
import type { Claimant, Claim, IdempotencyStore, RecordedIds } from '../idempotency/store.ts'
import type { KeyOutcome } from '../telemetry/observer.ts'
import type { Copilot, Run } from './copilot.ts'
import { fetchRun } from './evaluation.ts'
import { waitFor, type Patience } from './long-poll.ts'
import { startRun, type Submission } from './submit.ts'

/** A Submit that may be repeated. */
export interface KeyedSubmission {
  readonly submission: Submission
  /** Names connection and key. */
  readonly key: string
  readonly bodyHash: string
}

/** How often to ask whether another request with the same key is done, in ms. */
const askAgainMs = 200

/**
 * How long after a record creating the evaluation may be repeated, in ms. A token takes up to 5 s
 * and a call up to 15 s, so the last attempt ends within the 30 s that the claim holds, and nobody
 * who takes the key over can miss its evaluation.
 */
const repeatMs = 10_000

const retryAfterSeconds = 5

const never = new AbortController().signal

/** The store's answer, or the 503 that says that it has none. */
async function ask<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw new ConnectorError(
      'StoreUnavailable',
      'Cannot record the Idempotency-Key: the store does not answer',
      {
        cause,
        retryAfterSeconds,
      },
    )
  }
}

/** What became of a claimed key, in a word. */
function outcomeOf(claim: Exclude<Claim, { kind: 'held' }>): KeyOutcome {
  if (claim.kind === 'mine') return claim.ids.sessionId === undefined ? 'new' : 'resumed'
  return claim.kind === 'done' ? 'replayed' : 'reused'
}

/** Claims the key, waiting for another request that is at it, on whichever replica. */
async function claimKey(
  store: IdempotencyStore,
  claimant: Claimant,
  { clock, observer }: Copilot,
  until: number,
): Promise<Exclude<Claim, { kind: 'held' }>> {
  for (;;) {
    const claim = await ask(store.claim(claimant)).catch(error => {
      observer.keyClaimed('unavailable')
      throw error
    })
    if (claim.kind !== 'held') {
      observer.keyClaimed(outcomeOf(claim))
      return claim
    }
    if (clock.now() >= until) {
      observer.keyClaimed('busy')
      throw new ConnectorError(
        'StoreUnavailable',
        'Cannot submit the prompt: another request with this key is not done',
        {
          retryAfterSeconds,
        },
      )
    }
    await clock.sleep(askAgainMs, never)
  }
}

/**
 * Runs the submission under the claim: every step is recorded before the next, so that whoever
 * comes after a crash can look.
 */
async function runClaimed(
  copilot: Copilot,
  as: Connection,
  submission: Submission,
  store: IdempotencyStore,
  claimant: Claimant,
  known: RecordedIds,
): Promise<Run> {
  const record = async (ids: RecordedIds) => {
    if (await ask(store.record(claimant, ids))) return
    throw new ConnectorError(
      'StoreUnavailable',
      'Cannot submit the prompt: another request took its key over',
      {
        retryAfterSeconds,
      },
    )
  }
  const run = await startRun(copilot, as, submission, { known, record, repeatMs })
  // It ran: should the record be lost, the next request finds the evaluation by its prompt.
  await store.record(claimant, { evaluationId: run.evaluation.id }).catch(() => false)
  return run
}

/**
 * Submits a prompt once for each key: whoever repeats it, at whatever time and replica, gets the
 * same session, prompt and evaluation, and the evaluation's present state (contract, section 6).
 * @throws ConnectorError `IdempotencyKeyReused`, `StoreUnavailable` before anything is sent; what
 *   submit() throws, after which the same key tries again from what exists.
 */
export async function submitOnce(
  copilot: Copilot,
  as: Connection,
  { submission, key, bodyHash }: KeyedSubmission,
  store: IdempotencyStore,
  patience: Patience,
): Promise<Run> {
  const claimant = { key, bodyHash, holder: randomUUID() }
  const claim = await claimKey(store, claimant, copilot, as.retryUntil)
  if (claim.kind === 'reused') {
    throw new ConnectorError(
      'IdempotencyKeyReused',
      'Cannot submit the prompt: its Idempotency-Key was used with another body',
    )
  }
  if (claim.kind === 'done')
    return waitFor(copilot, as, await fetchRun(copilot, as, claim.ids), patience)
  try {
    const run = await runClaimed(copilot, as, submission, store, claimant, claim.ids)
    return await waitFor(copilot, as, run, patience)
  } catch (error) {
    await store.release(claimant).catch(() => undefined)
    throw error
  }
}

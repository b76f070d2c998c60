import { randomUUID } from 'node:crypto'
import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Claimant, Claim, IdempotencyStore, RecordedIds } from '../idempotency/store.ts'
import { hashOf } from '../lib/hash.ts'
import type { KeyOutcome } from '../telemetry/observer.ts'
import { fetchEvaluation, type Run } from './evaluation.ts'
import { waitForEnd, type Patience } from './long-poll.ts'
import { startRun, type Submission, type SubmitParts } from './submit.ts'

/** How often to ask whether another request with the same key is done, in ms. */
const askAgainMs = 200

/**
 * How long after a record creating the evaluation may be repeated, in ms. A token takes up to 5 s
 * and a call up to 15 s, so the last attempt ends within the 30 s that the claim holds, and nobody
 * who takes the key over can miss its evaluation.
 */
const repeatMs = 10_000

const never = new AbortController().signal

/** The same for the same submission, however its body was written. Pure. */
export function submissionHash({
  content,
  sessionId,
  plugins,
  skillName,
  skillInputs = {},
}: Submission): string {
  const inputs = Object.entries(skillInputs).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return hashOf(JSON.stringify([content, sessionId?.toLowerCase(), plugins, skillName, inputs]))
}

/** The store's response, or the 503 that says that it has none. */
async function ask<T>(response: Promise<T>): Promise<T> {
  try {
    return await response
  } catch (cause) {
    throw new ConnectorError(
      'StoreUnavailable',
      'Cannot record the idempotency key: the store does not answer',
      {},
      { cause },
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
  { clock, observer }: SubmitParts,
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
    if (clock.monotonic() >= until) {
      observer.keyClaimed('busy')
      throw new ConnectorError(
        'StoreUnavailable',
        'Cannot submit the prompt: another request with this key is not done',
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
  parts: SubmitParts,
  context: GraphContext,
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
    )
  }
  const run = await startRun(parts, context, submission, { known, record, repeatMs })
  // It ran: should the record be lost, the next request finds the evaluation by its prompt.
  await store.record(claimant, { evaluationId: run.evaluation.id }).catch(() => false)
  return run
}

/**
 * Submits a prompt once for each idempotency key: whoever repeats it, at whatever time and replica,
 * gets the same session, prompt and evaluation, and the evaluation's present state
 * (docs/api.md#6-at-most-once). See Copilot.submit().
 */
export async function submitKeyed(
  parts: SubmitParts,
  store: IdempotencyStore,
  context: GraphContext,
  submission: Submission,
  patience: Patience,
): Promise<Run> {
  const claimant = {
    key: hashOf(context.caller.key, String(submission.idempotencyKey)),
    bodyHash: submissionHash(submission),
    holder: randomUUID(),
  }
  const claim = await claimKey(store, claimant, parts, context.retryUntil)
  if (claim.kind === 'reused') {
    throw new ConnectorError(
      'IdempotencyKeyReused',
      'Cannot submit the prompt: its idempotency key was used with another body',
    )
  }
  if (claim.kind === 'done') {
    Object.assign(context.journal, claim.ids)
    return waitForEnd(parts, context, await fetchEvaluation(parts, context, claim.ids), patience)
  }
  try {
    const run = await runClaimed(parts, context, submission, store, claimant, claim.ids)
    return await waitForEnd(parts, context, run, patience)
  } catch (error) {
    await store.release(claimant).catch(() => undefined)
    throw error
  }
}

import { randomUUID } from 'node:crypto'
import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import type {
  Claimant,
  Claim,
  IdempotencyStore,
  Progress,
  RecordedIds,
} from '../idempotency/store.ts'
import { hashOf } from '../lib/hash.ts'
import type { Journal } from '../telemetry/journal.ts'
import type { KeyOutcome } from '../telemetry/observer.ts'
import { createClaimKeeper, storeUnavailable, type ClaimKeeper } from './claim-keeper.ts'
import { fetchEvaluation, spentNothing, type Run } from './evaluation.ts'
import { waitForEnd, type Patience } from './long-poll.ts'
import {
  mayHaveRun,
  startRun,
  submit,
  type IdempotencyKey,
  type Submission,
  type SubmitParts,
} from './submit.ts'

export interface KeyedParts extends SubmitParts {
  readonly idempotency: IdempotencyStore
}

/** How often to ask whether another request with the same key is done, in ms. */
const askAgainMs = 200

/** How often a key that was taken over is claimed anew, at most. */
const maxTurns = 10

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

/**
 * Who claims which key; the platform's own key is the body's too, so that it is never reused. Pure.
 */
function claimantOf(connectionKey: string, key: IdempotencyKey, bodyHash: string): Claimant {
  const name =
    key.from === 'caller'
      ? hashOf('caller', key.name)
      : hashOf('platform', key.runId, key.trackingId, bodyHash)
  return { connectionKey, key: name, bodyHash, holder: randomUUID() }
}

/** What became of a claimed key, in a word. */
function outcomeOf(claim: Claim): KeyOutcome {
  if (claim.kind === 'mine') return claim.progress.sessionId === undefined ? 'new' : 'resumed'
  if (claim.kind === 'done') return 'replayed'
  return claim.kind === 'held' ? 'busy' : claim.kind
}

/** What the store knows to exist goes into the journal, in place of what else this request made. */
function tell(
  { created }: Journal,
  { sessionId: own, promptId, evaluationId }: RecordedIds,
  submission: Submission,
): void {
  const sessionId = own ?? (promptId === undefined ? undefined : submission.sessionId)
  if (sessionId === undefined) return
  const known = created.sessionId === sessionId ? created : {}
  Object.assign(created, {
    sessionId,
    promptId: promptId ?? known.promptId,
    evaluationId: evaluationId ?? known.evaluationId,
  })
}

/**
 * Claims the key, waiting for another request that is at it, on whichever replica. What is known to
 * exist goes into the journal, so that an error carries it.
 * @throws ConnectorError `StoreUnavailable`, `IdempotencyKeyReused`, `TooManyKeys`
 */
async function claimKey(
  { idempotency, clock, observer }: KeyedParts,
  { journal, retryUntil }: GraphContext,
  submission: Submission,
  keeper: ClaimKeeper,
): Promise<Extract<Claim, { kind: 'mine' | 'done' }>> {
  for (;;) {
    const claim = await idempotency.claim(keeper.claimant).catch(cause => {
      observer.keyClaimed('unavailable')
      // The claim may have been made all the same.
      keeper.giveUp({ sending: false })
      throw storeUnavailable('the store of idempotency keys does not answer', {
        cause,
        notSent: true,
      })
    })
    if ('ids' in claim) tell(journal, claim.ids, submission)
    if (claim.kind === 'held' && clock.monotonic() < retryUntil) {
      await clock.sleep(askAgainMs, never)
      continue
    }
    observer.keyClaimed(outcomeOf(claim))
    switch (claim.kind) {
      case 'held':
        throw storeUnavailable('another request with this key is not done')
      case 'reused':
        throw new ConnectorError(
          'IdempotencyKeyReused',
          'Cannot submit the prompt: its idempotency key was used with another body',
        )
      case 'tooMany':
        throw new ConnectorError(
          'TooManyKeys',
          'Cannot submit the prompt: the connection has 10,000 live idempotency keys',
          { retryAfterSeconds: Math.max(1, Math.ceil(claim.retryAfterMs / 1000)) },
        )
      case 'mine':
      case 'done':
        return claim
    }
  }
}

/**
 * Runs the submission under the claim: every step is recorded before the next, so that whoever
 * comes after a crash can look. `undefined` when another request took the key over: it is the
 * other's to run.
 */
async function runClaimed(
  parts: KeyedParts,
  context: GraphContext,
  submission: Submission,
  keeper: ClaimKeeper,
  known: Progress,
): Promise<Run | undefined> {
  const { sending, ...ids } = known
  keeper.resume(known)
  try {
    const run = await startRun(parts, context, submission, {
      known: ids,
      ran: sending ? 'perhaps' : 'no',
      record: created =>
        keeper.record(
          submission.sessionId === undefined ? created : { promptId: created.promptId },
        ),
      beforeSend: keeper.beforeSend,
      maySend: keeper.maySend,
    })
    const { sessionId, promptId, evaluation } = run
    await keeper.finish({ sessionId, promptId, evaluationId: evaluation.id })
    return run
  } catch (error) {
    if (keeper.lost) return undefined
    await keeper.giveUpAfter(mayHaveRun(error))
    throw error
  } finally {
    keeper.stop()
  }
}

/** Runs the submission, or finds the run that it had, by its key. */
async function runKeyed(
  parts: KeyedParts,
  context: GraphContext,
  submission: Submission,
  keeper: ClaimKeeper,
): Promise<Run> {
  for (let turn = 0; turn < maxTurns; turn += 1) {
    const claim = await claimKey(parts, context, submission, keeper)
    let progress = claim.kind === 'mine' ? claim.progress : undefined
    if (claim.kind === 'done') {
      const done = await fetchEvaluation(parts.cache, { ...context, signal: never }, claim.ids)
      if (!spentNothing(done.evaluation)) return done
      const reopened = await parts.idempotency
        .reopen(keeper.claimant, claim.ids.evaluationId)
        .catch((cause: unknown) => {
          throw storeUnavailable('the store of idempotency keys does not answer', { cause })
        })
      if (reopened.kind === 'mine') progress = reopened.progress
    }
    const run = progress && (await runClaimed(parts, context, submission, keeper, progress))
    if (run) return run
    // Another request took the key over: what it does, or has done by now, is the result.
  }
  throw storeUnavailable('other requests took its idempotency key over again and again')
}

/**
 * Submits a prompt once for each idempotency key: whoever repeats it, at whatever time and replica,
 * gets the same session, prompt and evaluation, and the evaluation's present state
 * (docs/api.md#6-at-most-once). With a platform's own key, an absent store lets the Submit pass
 * without one. See Copilot.submit().
 */
export async function submitKeyed(
  parts: KeyedParts,
  context: GraphContext,
  submission: Submission,
  key: IdempotencyKey,
  patience: Patience,
): Promise<Run> {
  const { idempotency, clock, observer } = parts
  const claimant = claimantOf(context.caller.key, key, submissionHash(submission))
  const keeper = createClaimKeeper({
    idempotency,
    clock,
    claimant,
    mayBeUnrecorded: key.from === 'platform',
  })
  let run: Run
  try {
    run = await runKeyed(parts, context, submission, keeper)
  } catch (error) {
    const { code, inner } = ConnectorError.from(error)
    const unclaimed = code === 'StoreUnavailable' && inner.notSent === true
    if (key.from === 'caller' || !(unclaimed || code === 'TooManyKeys')) throw error
    observer.keyClaimed('passed')
    return submit(parts, context, submission, patience)
  }
  const ended = await waitForEnd(parts, context, run, patience)
  if (!spentNothing(ended.evaluation)) keeper.recordAgain()
  return ended
}

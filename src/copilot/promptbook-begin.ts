import { createHmac } from 'node:crypto'
import { ConnectorError } from '../errors.ts'
import { hashOf } from '../lib/hash.ts'
import type { PromptbookPrompt } from '../promptbooks/book.ts'
import { beginRun } from '../promptbooks/run-state.ts'
import { createRunId, runIdFrom, seal, type RunId } from '../promptbooks/seal.ts'
import type { NewRun } from '../run-store/run-store.ts'
import type { SealedRun } from './promptbook-takeover.ts'
import type { IdempotencyKey } from './submit.ts'

/** What a caller asks to be run. */
export interface PromptbookRequest {
  /** The prompts with their placeholders filled, 1 at least. */
  readonly prompts: readonly PromptbookPrompt[]
  /** What the caller sent, in one spelling: the same key with another one is refused. */
  readonly asked: string
  /** Continues this session; a new one is opened when absent. */
  readonly sessionId?: string | undefined
  /** Names of plugins that must be enabled in the workspace. */
  readonly plugins?: readonly string[] | undefined
  readonly idempotencyKey?: IdempotencyKey | undefined
}

/** A request, and the run that it begins if there is none. */
export interface Beginning extends PromptbookRequest {
  readonly begin: NewRun
}

/** Characters of a run's prompts, sealed, at most. */
const maxSealedLength = 1024 * 1024

/** The run that a request is about: the same for the same key of the same connection. */
export function runIdOf(
  connectionKey: string,
  { idempotencyKey: key, asked }: PromptbookRequest,
): RunId {
  if (key === undefined) return createRunId()
  return key.from === 'caller'
    ? runIdFrom(connectionKey, 'caller', key.name)
    : runIdFrom(connectionKey, 'platform', key.runId, key.trackingId, hashOf(asked))
}

/**
 * The run as it is kept at its beginning, at `now` in ms since 1970. Bodies are compared by a code
 * made with the run's key: whoever lacks that learns nothing of the body, not even by guessing.
 * @throws ConnectorError `PayloadTooLarge`
 */
export function beginningOf(id: RunId, request: PromptbookRequest, now: number): Beginning {
  const { prompts, sessionId, asked } = request
  const toSeal: SealedRun = { prompts, ownSession: sessionId === undefined }
  const sealed = seal(JSON.stringify(toSeal), id)
  if (sealed.length > maxSealedLength) {
    throw new ConnectorError(
      'PayloadTooLarge',
      'Cannot run the promptbook: its prompts are over 768 KiB once their inputs are filled in',
    )
  }
  const begin: NewRun = {
    state: beginRun(prompts.length, sessionId),
    createdAt: now,
    changedAt: now,
    body: createHmac('sha256', id.key).update(asked).digest('base64url'),
    sealed,
  }
  return { ...request, begin }
}

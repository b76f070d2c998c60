/** What a keyed Submit has created so far. */
export interface RecordedIds {
  readonly sessionId?: string | undefined
  readonly promptId?: string | undefined
  /** Its evaluation was acknowledged: the Submit is done. */
  readonly evaluationId?: string | undefined
}

/** The ids of a Submit that is done. */
export type CompleteIds = { readonly [Name in keyof RecordedIds]-?: string }

/** What a claim of a key gives. */
export type Claim =
  /** The key is the claimant's; what an earlier attempt created is told. */
  | { readonly kind: 'mine'; readonly ids: RecordedIds }
  /** Done before. */
  | { readonly kind: 'done'; readonly ids: CompleteIds }
  /** Another request is at it. */
  | { readonly kind: 'held' }
  /** The key was used with another body. */
  | { readonly kind: 'reused' }

/** Which key is claimed, with which body, by whom. */
export interface Claimant {
  /** Names connection and key. */
  readonly key: string
  readonly bodyHash: string
  /** Names this request among all replicas'. */
  readonly holder: string
}

/**
 * Remembers keyed Submits for 24 h. A claim holds for 30 s and is extended by every record, so that
 * a replica that died gives its keys free. Every method rejects when the store cannot be asked.
 */
export interface IdempotencyStore {
  claim(claimant: Claimant): Promise<Claim>
  /** Adds what was created and extends the claim; false when it is no longer the claimant's. */
  record(claimant: Claimant, ids: RecordedIds): Promise<boolean>
  /**
   * Gives up the claim; what was recorded stays, and when nothing was, the key is free for any
   * body.
   */
  release(claimant: Claimant): Promise<void>
}

/** How long a key is remembered (docs/api.md#61-idempotency-keys). */
export const rememberedMs = 24 * 60 * 60_000

/** How long a claim holds unless it is extended (docs/api.md#61-idempotency-keys). */
export const heldMs = 30_000

/** What a keyed Submit has created so far. A session that its caller named is not among it. */
export interface RecordedIds {
  readonly sessionId?: string | undefined
  readonly promptId?: string | undefined
  /** Its evaluation was acknowledged: the Submit is done. */
  readonly evaluationId?: string | undefined
}

/** The ids of a Submit that is done. */
export type CompleteIds = { readonly [Name in keyof RecordedIds]-?: string }

/** What is recorded of a keyed Submit. */
export interface Progress extends RecordedIds {
  /**
   * A request to create the evaluation may have left: whoever takes the key over must look for it.
   */
  readonly sending: boolean
}

/** What a claim of a key gives. */
export type Claim =
  /** The key is the claimant's; what an earlier attempt created is told. */
  | { readonly kind: 'mine'; readonly progress: Progress }
  /** Done before. */
  | { readonly kind: 'done'; readonly ids: CompleteIds }
  /** Another request is at it, and has created so much. */
  | { readonly kind: 'held'; readonly ids: RecordedIds }
  /** The key was used with another body. */
  | { readonly kind: 'reused'; readonly ids: RecordedIds }
  /** The connection has as many live keys as it may have; the oldest ends after `retryAfterMs`. */
  | { readonly kind: 'tooMany'; readonly retryAfterMs: number }

/** Which key is claimed, with which body, by whom. */
export interface Claimant {
  /** The connection's key. */
  readonly connectionKey: string
  /** Names the idempotency key among those of the connection: a hash. */
  readonly key: string
  readonly bodyHash: string
  /** Names this request among all replicas'. */
  readonly holder: string
}

/**
 * What became of a record: it stands (`mine`); the Submit was done by another request (`done`); or
 * another request has taken the key over and goes on with it (`lost`).
 */
export type Recorded = 'mine' | 'done' | 'lost'

/**
 * Remembers keyed Submits for 24 h. A claim holds for `holdMs` and is extended by every record, so
 * that a replica that died gives its keys free. Every method rejects when the store cannot be
 * asked, or when what it holds cannot be read.
 */
export interface IdempotencyStore {
  /** How long a claim holds, in ms: without end where its holder cannot die without the store. */
  readonly holdMs: number
  claim(claimant: Claimant): Promise<Claim>
  /**
   * Writes the whole entry anew and extends the claim. An entry that the store has lost is there
   * again afterwards; one that another request made meanwhile is taken back, if this request may
   * have sent already and the other has not.
   */
  record(claimant: Claimant, progress: Progress): Promise<Recorded>
  /**
   * Gives up the claim. `progress` stays for whoever comes next; without any id in it the key is
   * free for any body, and not kept.
   */
  release(claimant: Claimant, progress: Progress): Promise<void>
  /**
   * Claims a key that is done, to run its prompt again, since this evaluation of it spent nothing.
   * `held` when somebody else was faster.
   */
  reopen(claimant: Claimant, evaluationId: string): Promise<Claim>
}

/** How long a key is remembered, in ms (docs/api.md#61-idempotency-keys). */
export const rememberedMs = 24 * 60 * 60_000

/** How long a claim in a shared store holds unless it is extended, in ms. */
export const sharedHoldMs = 30_000

/** Live keys of a connection, at most. */
export const maxKeys = 10_000

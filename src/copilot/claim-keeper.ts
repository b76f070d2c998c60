import { ConnectorError, type InnerFacts } from '../errors.ts'
import type { Claimant, IdempotencyStore, Progress, RecordedIds } from '../idempotency/store.ts'
import type { Clock } from '../lib/clock.ts'

export interface ClaimKeeperOptions {
  readonly idempotency: IdempotencyStore
  readonly clock: Clock
  readonly claimant: Claimant
  /** Goes on when the store does not take a record. @default false */
  readonly mayBeUnrecorded?: boolean
}

/** Keeps the claim of an idempotency key while its submission runs. */
export interface ClaimKeeper {
  readonly claimant: Claimant
  /** Whether another request has taken the key over. */
  readonly lost: boolean
  /**
   * Records what exists.
   * @throws ConnectorError `StoreUnavailable` when it cannot be, or the claim is lost.
   */
  record(ids: RecordedIds): Promise<void>
  /**
   * Records that the evaluation is about to be created; from then on the claim is renewed. Throws
   * as record().
   */
  beforeSend(): Promise<void>
  /** Fence: whether a request that may take `maxCallMs` still ends within the claim. */
  maySend(): boolean
  /**
   * Records that it is done. Never throws: it ran; what the store does not take now, it gets later.
   */
  finish(ids: RecordedIds): Promise<void>
  /** Records anew what was recorded last, in the background: the store may have lost it. */
  recordAgain(): void
  /** Gives the key free in the background, as soon as the store takes it. */
  giveUp(progress: Progress): void
  /** Gives the key free after an error; what exists stays for whoever comes next. */
  giveUpAfter(mayHaveRun: boolean): Promise<void>
  /** Ends the renewing. */
  stop(): void
  /** Starts from what an earlier request recorded. */
  resume(known: Progress): void
}

/**
 * A call to create an evaluation ends within so long, in ms: so long before its claim ends it must
 * leave.
 */
const maxCallMs = 15_000

/** For clocks that do not run alike, in ms. */
const marginMs = 1000

/** While an evaluation is created, its claim is renewed so often, in ms. */
const renewMs = 2000

/** A record that the store did not take is tried again so often, and so many times. */
const retryMs = 1000
const maxRetries = 300

const never = new AbortController().signal

/** The error of a Submit whose key cannot be claimed, recorded or kept. */
export const storeUnavailable = (why: string, inner: InnerFacts = {}): ConnectorError =>
  new ConnectorError('StoreUnavailable', `Cannot submit the prompt: ${why}`, {}, inner)

export function createClaimKeeper({
  idempotency,
  clock,
  claimant,
  mayBeUnrecorded = false,
}: ClaimKeeperOptions): ClaimKeeper {
  let progress: Progress = { sending: false }
  let sendBefore = Number.NEGATIVE_INFINITY
  let lost = false
  let renewing: AbortController | undefined

  async function write(next: Progress): Promise<void> {
    progress = next
    const began = clock.monotonic()
    const recorded = await idempotency.record(claimant, next)
    lost = recorded !== 'mine'
    sendBefore = lost ? Number.NEGATIVE_INFINITY : began + idempotency.holdMs - maxCallMs - marginMs
  }

  async function record(next: Progress): Promise<void> {
    try {
      await write(next)
    } catch (cause) {
      if (!mayBeUnrecorded) throw storeUnavailable('it cannot be recorded', { cause })
      sendBefore = Number.POSITIVE_INFINITY
    }
    if (lost) throw storeUnavailable('another request took its idempotency key over')
  }

  /** Renews the claim until it is told to stop: then a slow call cannot outlive it. */
  async function renew(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(renewMs, signal)
      if (signal.aborted || lost) return
      await write(progress).catch(() => undefined)
    }
  }

  /** Does it now or, while the store is away, later. */
  async function eventually(step: () => Promise<unknown>): Promise<void> {
    for (let retries = 0; retries < maxRetries; retries += 1) {
      try {
        await step()
        return
      } catch {
        await clock.sleep(retryMs, never)
      }
    }
  }

  const stop = () => renewing?.abort()

  return {
    claimant,
    get lost() {
      return lost
    },
    record: ids => record({ ...progress, ...ids }),
    async beforeSend() {
      await record({ ...progress, sending: true })
      if (renewing || idempotency.holdMs === Number.POSITIVE_INFINITY) return
      renewing = new AbortController()
      void renew(renewing.signal)
    },
    maySend: () => clock.monotonic() < sendBefore,
    async finish(ids) {
      stop()
      const done = { ...ids, sending: true }
      try {
        await write(done)
      } catch {
        void eventually(() => write(done))
      }
    },
    recordAgain() {
      if (progress.evaluationId !== undefined) void write(progress).catch(() => undefined)
    },
    giveUp: left => void eventually(() => idempotency.release(claimant, left)),
    async giveUpAfter(mayHaveRun) {
      const left = { ...progress, sending: progress.sending && mayHaveRun }
      try {
        await idempotency.release(claimant, left)
      } catch {
        void eventually(() => idempotency.release(claimant, left))
      }
    },
    stop,
    resume(known) {
      progress = known
      lost = false
      renewing = undefined
    },
  }
}

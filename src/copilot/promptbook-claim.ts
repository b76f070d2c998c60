import { ConnectorError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { NewRun, RunClaimant, RunRecord, RunStore } from '../run-store/run-store.ts'

export interface RunClaimOptions {
  readonly runs: RunStore
  readonly clock: Clock
  readonly claimant: RunClaimant
  /** The whole of the run, should the store lose it. */
  readonly run: NewRun
  /** What is to be recorded now. */
  current(): Omit<RunRecord, 'hold'>
  /** Whether its driver goes on after that; otherwise the claim ends with the record. */
  goesOn(): boolean
  /** Whether anything was spent. */
  hasBegun(): boolean
  /** Pauses before a record is tried again, in ms. */
  pause(ms: number): Promise<void>
  readonly stopping: AbortSignal
}

/** The claim of a run that is driven. */
export interface DriverClaim {
  /** Whether another driver has taken the run over. */
  readonly lost: boolean
  /**
   * Records how the run stands, as soon as the store takes it; nothing else is done before.
   * @throws ConnectorError `StoreUnavailable` when it cannot be while nothing was spent, or the
   *   service stops.
   */
  keep(): Promise<void>
  /** Fence: whether a request to create an evaluation still ends within the claim. */
  maySend(): boolean
  /** Renews the claim until stop(). */
  renew(): void
  stop(): void
}

/** A call to create an evaluation ends within so long, and clocks differ by so much, in ms. */
const maxCallMs = 15_000
const marginMs = 1000

/** A claim is renewed so often, and a record that the store did not take tried again, in ms. */
const renewMs = 2000
const retryMs = 1000

const unrecorded = (cause: unknown): ConnectorError =>
  new ConnectorError(
    'StoreUnavailable',
    'Cannot run the promptbook: it cannot be recorded',
    {},
    { cause },
  )

/** Keeps a claim that was just made; see claim-keeper.ts for that of an idempotency key. */
export function createRunClaim(options: RunClaimOptions): DriverClaim {
  const { runs, clock, claimant, run, stopping } = options
  const endOfSending = (began: number) => began + runs.holdMs - maxCallMs - marginMs
  let sendBefore = endOfSending(clock.monotonic())
  let lost = false
  const renewing = new AbortController()

  async function write(hold: boolean): Promise<void> {
    const began = clock.monotonic()
    const record = { ...options.current(), hold }
    let recorded = await runs.record(claimant, record)
    // The store has lost it: the whole of it is written anew.
    if (recorded === 'gone') recorded = await runs.record(claimant, record, { ...run, ...record })
    lost ||= recorded !== 'mine'
    sendBefore = lost ? Number.NEGATIVE_INFINITY : endOfSending(began)
  }

  async function renewAgain(): Promise<void> {
    for (;;) {
      await clock.sleep(renewMs, renewing.signal)
      if (renewing.signal.aborted || lost || !options.goesOn()) return
      await write(true).catch(() => undefined)
    }
  }

  return {
    get lost() {
      return lost
    },
    maySend: () => clock.monotonic() < sendBefore,
    async keep() {
      for (;;) {
        try {
          await write(options.goesOn())
          return
        } catch (cause) {
          // Nothing was spent yet: better not begin what cannot be recorded.
          if (!options.hasBegun() || stopping.aborted) throw unrecorded(cause)
          await options.pause(retryMs)
        }
      }
    },
    renew() {
      if (runs.holdMs !== Number.POSITIVE_INFINITY) void renewAgain()
    },
    stop: () => renewing.abort(),
  }
}

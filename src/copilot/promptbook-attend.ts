import { ConnectorError, type ErrorCode } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import type { Clock } from '../lib/clock.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import { runStatus } from '../promptbooks/run-state.ts'
import type { RunKey } from '../promptbooks/seal.ts'
import type { KeptRun, RunClaim } from '../run-store/run-store.ts'
import type { Patience } from './long-poll.ts'
import type { Beginning } from './promptbook-begin.ts'
import { isRetried, type DrivenRun } from './promptbook-driver.ts'
import type { Looked, RunHub } from './promptbook-hub.ts'

/**
 * Stays with a run until no step is left or patience is over; it is driven meanwhile, by this
 * replica if by nobody else. Whoever begins it stays at least until its first evaluation exists.
 * @throws ConnectorError of a run that cannot begin; `RunNotFound`, `IdempotencyKeyReused`,
 *   `TooManyKeys`, `Overloaded`, `StoreUnavailable`; what the caller's token lacks to go on.
 */
export type Attend = (
  context: GraphContext,
  id: RunKey,
  patience: Patience,
  beginning?: Beginning,
) => Promise<KeptRun>

/** How often the store is asked how a run stands that another replica drives, in ms. */
const lookAgainMs = 1000

const never = new AbortController().signal

export const runNotFound = (): ConnectorError =>
  new ConnectorError(
    'RunNotFound',
    'Cannot read the promptbook run: the connection has none of this id, or it is over a day old',
  )

const cannotRun = (code: ErrorCode, why: string): ConnectorError =>
  new ConnectorError(code, `Cannot run the promptbook: ${why}`)

const keyReused = (): ConnectorError =>
  new ConnectorError(
    'IdempotencyKeyReused',
    'Cannot run the promptbook: its idempotency key was used with another body',
  )

/** Why a claim gives no run. Pure. */
function refusalOf(claim: RunClaim): ConnectorError {
  switch (claim.kind) {
    case 'reused':
      return keyReused()
    case 'tooMany': {
      const retryAfterSeconds = Math.max(1, Math.ceil(claim.retryAfterMs / 1000))
      const message = 'Cannot run the promptbook: the connection has 10,000 runs of the last day'
      return new ConnectorError('TooManyKeys', message, { retryAfterSeconds })
    }
    case 'full':
      return cannotRun('Overloaded', 'the runs that are kept use all the memory that they may')
    default:
      return runNotFound()
  }
}

export function createAttend(hub: RunHub, clock: Clock): Attend {
  const shared = createSingleFlight<Looked>()

  /** Claims a run, or hears how it stands; one that its key goes on with is opened again. */
  async function look(
    context: GraphContext,
    id: RunKey,
    beginning: Beginning | undefined,
    isFirst: boolean,
  ): Promise<Looked> {
    if (!beginning) {
      const flight = `${context.caller.key} ${id.storeId}`
      return shared(flight, () => hub.look(context, id, {}))
    }
    const { begin } = beginning
    const looked = await hub.look(context, id, { begin }, beginning)
    const { claim } = looked
    return isFirst && claim.kind === 'ended' && isRetried(claim.run.state)
      ? hub.look(context, id, { begin, reopen: true }, beginning)
      : looked
  }

  return async (context, id, { until, signal }, beginning) => {
    const isOver = () => clock.monotonic() >= until || signal.aborted || hub.stopping.aborted

    /** Stays with a run that this replica drives; undefined when it does so no longer. */
    async function stay(here: DrivenRun, isMine: boolean): Promise<KeptRun | undefined> {
      if (beginning && here.body !== beginning.begin.body) throw keyReused()
      if (beginning) await here.begun
      if (!isOver()) await here.wait(until, signal)
      if (isOver() || runStatus(here.kept.state) !== 'Running') return here.kept
      const settled = await here.settled
      if (settled.kind === 'stopped') return here.kept
      if (settled.kind !== 'paused' || !isMine) return undefined
      // Whose token it was hears why; but whoever began the run hears of it first.
      if (beginning) return here.kept
      throw settled.error
    }

    let known: KeptRun | undefined
    for (let isFirst = true; ; isFirst = false) {
      let here = hub.driven(context, id)
      let mine: DrivenRun | undefined
      if (!here) {
        try {
          const looked = await look(context, id, beginning, isFirst)
          const { claim } = looked
          if (!('run' in claim)) throw refusalOf(claim)
          known = claim.run
          if (claim.kind === 'ended') return known
          if (claim.kind === 'mine' && !looked.mine && beginning)
            throw hub.stopping.aborted
              ? cannotRun('ShuttingDown', 'the service is stopping; try again')
              : cannotRun('Overloaded', 'this replica drives as many runs as it can')
          mine = looked.mine
          here = mine
        } catch (error) {
          const { code } = ConnectorError.from(error)
          if (known === undefined || code !== 'StoreUnavailable') throw error
        }
      }
      if (here) {
        const stood = await stay(here, here === mine)
        if (stood) return stood
        known = here.kept
      }
      const hasBegun = known !== undefined && (!beginning || known.state.steps.length > 0)
      if (known && hasBegun && isOver()) return known
      if (!hasBegun && clock.monotonic() >= context.retryUntil)
        throw cannotRun('StoreUnavailable', 'another request with this key is not done')
      const leftMs = hasBegun ? Math.max(0, until - clock.monotonic()) : lookAgainMs
      await clock.sleep(Math.min(lookAgainMs, leftMs), hasBegun ? signal : never)
    }
  }
}

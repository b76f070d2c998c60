import { randomUUID } from 'node:crypto'
import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import { createByteBudget } from '../lib/byte-budget.ts'
import type { RunKey } from '../promptbooks/seal.ts'
import type { ClaimOptions, RunClaim } from '../run-store/run-store.ts'
import type { Beginning } from './promptbook-begin.ts'
import { driveRun, type DrivenRun, type DriverParts } from './promptbook-driver.ts'
import { howToDrive } from './promptbook-takeover.ts'
import { requireEnabled } from './enabled-plugins.ts'

/** What the store said, and the run if this replica drives it from now on. */
export interface Looked {
  readonly claim: RunClaim
  readonly mine?: DrivenRun | undefined
}

/** The runs that this replica drives. */
export interface RunHub {
  /** A run that is driven here. */
  driven(context: GraphContext, id: RunKey): DrivenRun | undefined
  /**
   * Asks the store how a run stands, and drives it if nobody does: as the one who begins it, or
   * goes on with it.
   * @throws ConnectorError `StoreUnavailable`
   */
  look(
    context: GraphContext,
    id: RunKey,
    options: ClaimOptions,
    beginning?: Beginning,
  ): Promise<Looked>
  /** Aborts when runs are handed over. */
  readonly stopping: AbortSignal
  /** Hands over every run, and resolves when that is done. */
  close(): Promise<void>
}

const mib = 1024 * 1024

/** What this replica drives at a time: prompts and what they are sealed in, in bytes. */
const drivenBytes = { total: 64 * mib, perKey: 16 * mib }

/** A run's bytes for each character of what is sealed: that itself, and what it holds. */
const bytesPerSealed = 3

const never = new AbortController().signal

const nameOf = ({ caller }: GraphContext, { storeId }: RunKey): string => `${caller.key} ${storeId}`

export function createRunHub(parts: DriverParts): RunHub {
  const { runs, cache } = parts
  const closing = new AbortController()
  const driven = new Map<string, DrivenRun>()
  const budget = createByteBudget(drivenBytes)

  /** Drives a run that was just claimed; it is given back when this replica cannot. */
  async function drive(
    context: GraphContext,
    id: RunKey,
    holder: string,
    claim: Extract<RunClaim, { kind: 'mine' }>,
    beginning: Beginning | undefined,
  ): Promise<Looked> {
    const { key: connectionKey } = context.caller
    const claimant = { connectionKey, storeId: id.storeId, holder }
    const { run, fresh } = claim
    const how = howToDrive(run, fresh, id)
    const bytes = budget.meter(connectionKey)
    const fits = bytes.hold(bytesPerSealed * run.sealed.length)
    if (!how || closing.signal.aborted || !fits) {
      bytes.close()
      await (fresh ? runs.forget(claimant) : runs.release(claimant)).catch(() => undefined)
      return { claim: how ? claim : { kind: 'none' } }
    }
    const { plugins = [] } = beginning ?? {}
    const mine = driveRun(parts, context, {
      ...how,
      claimant,
      run,
      begins: beginning !== undefined,
      stopping: closing.signal,
      async prepare() {
        if (plugins.length === 0 || run.state.steps.length > 0) return
        requireEnabled(plugins, await cache.plugins({ ...context, signal: never }))
      },
    })
    const name = nameOf(context, id)
    driven.set(name, mine)
    async function forget(): Promise<void> {
      await mine.settled
      driven.delete(name)
      bytes.close()
    }
    void forget()
    return { claim, mine }
  }

  return {
    stopping: closing.signal,
    driven: (context, id) => driven.get(nameOf(context, id)),

    async look(context, id, options, beginning) {
      const holder = randomUUID()
      const claimant = { connectionKey: context.caller.key, storeId: id.storeId, holder }
      const claim = await runs.claim(claimant, options).catch((cause: unknown) => {
        // The claim may have been made all the same.
        void runs.release(claimant).catch(() => undefined)
        throw new ConnectorError(
          'StoreUnavailable',
          'Cannot run the promptbook: the store of promptbook runs does not answer',
          {},
          { cause },
        )
      })
      return claim.kind === 'mine' ? drive(context, id, holder, claim, beginning) : { claim }
    },

    async close() {
      closing.abort()
      await Promise.all(driven.values().map(({ settled }) => settled))
    },
  }
}

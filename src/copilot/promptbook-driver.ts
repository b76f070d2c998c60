import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import { hashOf } from '../lib/hash.ts'
import type { PromptbookPrompt } from '../promptbooks/book.ts'
import {
  applyEvent,
  nextAction,
  runStatus,
  type RunAction,
  type RunEvent,
  type RunState,
} from '../promptbooks/run-state.ts'
import {
  keptMs,
  type KeptRun,
  type NewRun,
  type RunClaimant,
  type RunStore,
} from '../run-store/run-store.ts'
import { createRunClaim } from './promptbook-claim.ts'
import { createWaiters } from './promptbook-waiters.ts'
import { createStepper } from './promptbook-step.ts'
import type { RunOptions } from './run-once.ts'
import type { SubmitParts } from './submit.ts'

export interface DriverParts extends SubmitParts {
  readonly runs: RunStore
}

/** A run that is claimed, and how to go on with it. */
export interface DriveOptions {
  readonly claimant: RunClaimant
  /** As the store has it. */
  readonly run: NewRun
  readonly prompts: readonly PromptbookPrompt[]
  readonly ownSession: boolean
  /** Whether what is to be done next may have been done by a driver before. */
  readonly doneBefore: RunOptions['ran']
  /** What happened to it by being claimed: its key came again, or somebody with a token. */
  readonly because?: RunEvent | undefined
  /** Of whoever begins the run: what is refused while nothing exists is an error of theirs. */
  readonly begins: boolean
  /** Done before anything. @throws ConnectorError */
  prepare(): Promise<void>
  /** Aborts when the service stops: somebody else is to go on. */
  readonly stopping: AbortSignal
}

/** Why a run is not driven any more. */
export type Settled =
  /** No step is left. */
  | { readonly kind: 'ended' }
  /** The caller's token ended. */
  | { readonly kind: 'paused'; readonly error: ConnectorError }
  /** The service stops. */
  | { readonly kind: 'stopped' }
  /** Another replica has taken it over. */
  | { readonly kind: 'lost' }
  /** Nothing of it exists, or it could not be recorded. */
  | { readonly kind: 'refused'; readonly error: ConnectorError }

/** A run that this replica drives. */
export interface DrivenRun {
  readonly connectionKey: string
  readonly body: string
  /** How it stands now. */
  readonly kept: KeptRun
  /** Its first evaluation exists, or none will. */
  readonly begun: Promise<void>
  /** Waits until it is not driven any more, the deadline has come or `signal` aborts. */
  wait(until: number, signal: AbortSignal): Promise<void>
  /** It is not driven any more. Never rejects. */
  readonly settled: Promise<Settled>
}

/** The caller's token ended, or is not enough: the run waits for another. */
const tokenCodes: ReadonlySet<string> = new Set([
  'AccessBlocked',
  'AuthenticationRequired',
  'InsufficientClaims',
  'InvalidClientCredentials',
  'InvalidToken',
  'TenantNotAllowed',
])

/** Refusals that the same key may go on from, beside all that Graph says. */
const repeatableCodes: ReadonlySet<string> = new Set([
  'BudgetExceeded',
  'CapacityExceeded',
  'EntraUnavailable',
  'Overloaded',
  'StoreUnavailable',
  'SubmissionUnconfirmed',
])

const isRepeatable = (code: string): boolean =>
  code.startsWith('Graph') || repeatableCodes.has(code)

/** What a session's runs are known by in the store. Pure. */
export const sessionKeyOf = (sessionId: string): string =>
  hashOf('session', sessionId.toLowerCase())

/** Whether the same key again would go on with it. Pure. */
export const isRetried = (state: RunState): boolean =>
  runStatus(state) !== 'Running' && nextAction(applyEvent(state, { type: 'retried' })).do !== 'done'

const hasEvaluation = ({ steps }: RunState): boolean =>
  steps.some(step => step.evaluationId !== undefined || step.spentNothing !== undefined)

/** Thrown inside of a driver: it is over for this replica. */
class DriverError extends Error {
  readonly settled: Settled
  constructor(settled: Settled) {
    super(settled.kind)
    this.settled = settled
  }
}

/**
 * Drives a claimed run: what its state says is next is done, and recorded before anything else is.
 * The claim is renewed meanwhile, and no request to create an evaluation leaves after it
 * (docs/promptbooks.md#what-holds). It begins at once and goes on by itself.
 */
export function driveRun(
  parts: DriverParts,
  context: GraphContext,
  options: DriveOptions,
): DrivenRun {
  const { runs, clock } = parts
  const { claimant, run, prompts, ownSession, doneBefore, because, begins, stopping } = options
  let { state, changedAt } = run
  const { createdAt } = run
  const expiresAt = clock.monotonic() + keptMs - Math.max(0, clock.now() - createdAt)
  const isOver = () => stopping.aborted || clock.monotonic() >= expiresAt
  const waiters = createWaiters(clock, stopping)
  const begun = Promise.withResolvers<void>()
  begun.promise.catch(() => undefined)

  const goesOn = (): boolean => {
    const next = nextAction(state).do
    return next !== 'done' && next !== 'wait' && !isOver()
  }

  /** Records the state before anything else is done. */
  async function keep(): Promise<void> {
    await claim.keep()
    if (claim.lost) throw new DriverError({ kind: 'lost' })
  }

  /** Fetch promptbookprompt evaluation status asks for it; without it, it knows less. */
  function noteSession(isKept = true): void {
    if (state.sessionId === undefined) return
    const until = isKept && runStatus(state) === 'Running' ? createdAt + keptMs : 0
    runs.noteSession(sessionKeyOf(state.sessionId), claimant.storeId, until).catch(() => undefined)
  }

  const claim = createRunClaim({
    runs,
    clock,
    claimant,
    run,
    stopping,
    pause: waiters.pause,
    goesOn,
    hasBegun: () => hasEvaluation(state),
    current() {
      const open = runStatus(state) === 'Running'
      return { state, createdAt, changedAt, open, over: !open && !isRetried(state) }
    },
  })

  async function happen(event: RunEvent): Promise<void> {
    const before = state
    state = applyEvent(state, event)
    changedAt = clock.now()
    if (hasEvaluation(state)) begun.resolve()
    if (state.sessionId !== before.sessionId || runStatus(state) !== runStatus(before))
      noteSession()
    await keep()
    waiters.check()
  }

  const nothingExists = (): boolean =>
    begins && state.steps.length === 0 && (state.sessionId === undefined || !ownSession)

  const stepper = createStepper(parts, context, {
    prompts,
    ownSession,
    doneBefore,
    isOver,
    pause: waiters.pause,
    maySend: claim.maySend,
    async beforeEach() {
      if (!claim.maySend()) await keep()
    },
  })

  /** What happened, or why nothing did. */
  async function eventOf(action: RunAction): Promise<RunEvent | undefined> {
    try {
      return await stepper.perform(action, state)
    } catch (error) {
      if (error instanceof DriverError || claim.lost) throw error
      const known = ConnectorError.from(error)
      if (nothingExists()) throw known
      if (tokenCodes.has(known.code)) {
        await happen({ type: 'paused' })
        throw new DriverError({ kind: 'paused', error: known })
      }
      const { code, message } = known
      const step = 'step' in action ? action.step : 0
      return { type: 'refused', step, code, message, repeatable: isRepeatable(code) }
    }
  }

  async function drive(): Promise<Settled> {
    await options.prepare()
    noteSession()
    if (because) await happen(because)
    while (goesOn()) {
      const event = await eventOf(nextAction(state))
      if (!event) break
      await happen(event)
    }
    return { kind: runStatus(state) === 'Running' ? 'stopped' : 'ended' }
  }

  async function settle(): Promise<Settled> {
    let settled: Settled
    claim.renew()
    try {
      settled = await drive()
    } catch (error) {
      settled = claim.lost
        ? { kind: 'lost' }
        : error instanceof DriverError
          ? error.settled
          : { kind: 'refused', error: ConnectorError.from(error) }
    }
    claim.stop()
    await stepper.close()
    if (settled.kind === 'refused') {
      begun.reject(settled.error)
      noteSession(false)
      const nothing = nothingExists() ? runs.forget(claimant) : runs.release(claimant)
      await nothing.catch(() => undefined)
    } else if (settled.kind === 'stopped') {
      await runs.release(claimant).catch(() => undefined)
    }
    begun.resolve()
    waiters.end()
    return settled
  }

  return {
    connectionKey: claimant.connectionKey,
    body: run.body,
    get kept() {
      return { state, createdAt, changedAt }
    },
    begun: begun.promise,
    wait: waiters.wait,
    settled: settle(),
  }
}

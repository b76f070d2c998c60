import { createHmac, randomUUID } from 'node:crypto'
import { ConnectorError } from '../errors.ts'
import type { GraphContext } from '../graph/context.ts'
import { hashOf } from '../lib/hash.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import type { PromptbookPrompt } from '../promptbooks/book.ts'
import {
  beginRun,
  runErrors,
  runStatus,
  type RunState,
  type RunStatus,
} from '../promptbooks/run-state.ts'
import {
  createRunId,
  parseRunId,
  runIdFrom,
  seal,
  type RunId,
  type RunKey,
} from '../promptbooks/seal.ts'
import { byteBudget } from '../run-store/byte-budget.ts'
import type { ClaimOptions, KeptRun, NewRun, RunClaim } from '../run-store/run-store.ts'
import { capacityError } from './capacity.ts'
import type { Patience } from './long-poll.ts'
import { readAnswers, type AnsweredStep } from './promptbook-answers.ts'
import { driveRun, isRetried, type DrivenRun, type DriverParts } from './promptbook-driver.ts'
import { howToDrive, type SealedRun } from './promptbook-takeover.ts'
import { requireEnabled, type IdempotencyKey } from './submit.ts'

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

/** A run of a promptbook, as an action tells it. */
export interface PromptbookReport {
  /** Names it in its URL: a secret of the caller's. */
  readonly runId: string
  readonly sessionId: string
  /** The first prompt's; empty while there is none. */
  readonly promptId: string
  readonly status: RunStatus
  /** The steps that began. */
  readonly steps: readonly AnsweredStep[]
  /** Some answers could not be read: ask again. */
  readonly incomplete: boolean
  readonly errors: readonly string[]
  /** In ms since 1970. */
  readonly createdAt: number
  readonly changedAt: number
}

export interface PromptbookRuns {
  /** See Copilot.runPromptbook(). */
  run(
    context: GraphContext,
    request: PromptbookRequest,
    patience: Patience,
  ): Promise<PromptbookReport>
  /** See Copilot.promptbookRun(). */
  poll(context: GraphContext, runId: string, patience?: Patience): Promise<PromptbookReport>
  /** Hands over every run: whoever polls next goes on with it. Resolves when that is done. */
  close(): Promise<void>
}

type BegunRequest = PromptbookRequest & { readonly begin: NewRun }

/** What the store said, and the run if this replica drives it now. */
interface Looked {
  readonly claim: RunClaim
  readonly mine?: DrivenRun | undefined
}

export interface RunsParts extends DriverParts {
  /** From 0 to 1. */
  readonly random: () => number
}

/** Bytes of a run's prompts, sealed, at most. */
const maxSealedLength = 1024 * 1024

const mib = 1024 * 1024

/** What this replica drives at a time: prompts and what they are sealed in, in bytes. */
const drivenBytes = { total: 64 * mib, perConnection: 16 * mib }

/** How often the store is asked how a run stands that another replica drives, in ms. */
const lookAgainMs = 1000

const never = new AbortController().signal

const cannotRun = (code: 'StoreUnavailable' | 'Overloaded', why: string, cause?: unknown) =>
  new ConnectorError(code, `Cannot run the promptbook: ${why}`, {}, { cause })

const runNotFound = (): ConnectorError =>
  new ConnectorError(
    'RunNotFound',
    'Cannot read the promptbook run: the connection has none of this id, or it is over a day old',
  )

const keyReused = (): ConnectorError =>
  new ConnectorError(
    'IdempotencyKeyReused',
    'Cannot run the promptbook: its idempotency key was used with another body',
  )

/** The run that a request is about: the same for the same key of the same connection. Pure. */
function runIdOf({ caller }: GraphContext, { idempotencyKey: key, asked }: PromptbookRequest) {
  if (key === undefined) return createRunId()
  return key.from === 'caller'
    ? runIdFrom(caller.key, 'caller', key.name)
    : runIdFrom(caller.key, 'platform', key.runId, key.trackingId, hashOf(asked))
}

/** What the store has in common for the same body; whoever lacks the run's key learns nothing. */
const bodyOf = ({ key }: RunKey, asked: string): string =>
  createHmac('sha256', key).update(asked).digest('base64url')

/** @throws ConnectorError `Overloaded` when it is too long to be kept. */
function newRun(id: RunId, request: PromptbookRequest, now: number): NewRun {
  const { prompts, sessionId, asked } = request
  const toSeal: SealedRun = { prompts, ownSession: sessionId === undefined }
  const sealed = seal(JSON.stringify(toSeal), id)
  if (sealed.length > maxSealedLength)
    throw cannotRun('Overloaded', 'its prompts are over 768 KiB together; run it in parts')
  const state = beginRun(prompts.length, sessionId)
  return { state, createdAt: now, changedAt: now, body: bodyOf(id, asked), sealed }
}

/** @throws ConnectorError for a claim that gives no run. */
function refuse(claim: RunClaim): never {
  switch (claim.kind) {
    case 'reused':
      throw keyReused()
    case 'tooMany': {
      const retryAfterSeconds = Math.max(1, Math.ceil(claim.retryAfterMs / 1000))
      const message = 'Cannot run the promptbook: the connection has 10,000 runs of the last day'
      throw new ConnectorError('TooManyKeys', message, { retryAfterSeconds })
    }
    case 'full':
      throw cannotRun('Overloaded', 'the runs that are kept use all the memory that they may')
    default:
      throw runNotFound()
  }
}

export function createPromptbookRuns(parts: RunsParts): PromptbookRuns {
  const { runs, clock, cache, observer, random } = parts
  const stopping = new AbortController()
  const driven = new Map<string, DrivenRun>()
  const budget = byteBudget(drivenBytes)
  const look = createSingleFlight<Looked>()

  /** Starts to drive a run that was just claimed; undefined when this replica cannot. */
  async function drive(
    context: GraphContext,
    id: RunKey,
    holder: string,
    claim: Extract<RunClaim, { kind: 'mine' }>,
    request?: PromptbookRequest,
  ): Promise<DrivenRun | undefined> {
    const { key: connectionKey } = context.caller
    const claimant = { connectionKey, storeId: id.storeId, holder }
    const { run, fresh } = claim
    const how = howToDrive(run, fresh, id)
    const bytes = 3 * run.sealed.length
    if (!how || stopping.signal.aborted || !budget.take(connectionKey, bytes)) {
      await (fresh ? runs.forget(claimant) : runs.release(claimant)).catch(() => undefined)
      return undefined
    }
    const { plugins = [] } = request ?? {}
    const one = driveRun(parts, context, {
      ...how,
      claimant,
      run,
      begins: request !== undefined,
      stopping: stopping.signal,
      async prepare() {
        if (fresh && plugins.length > 0)
          requireEnabled(plugins, await cache.plugins({ ...context, signal: never }))
      },
    })
    driven.set(id.storeId, one)
    void one.settled.then(() => {
      driven.delete(id.storeId)
      budget.change(connectionKey, -bytes)
    })
    return one
  }

  /**
   * Asks the store how a run stands, and drives it if nobody does.
   * @throws ConnectorError `StoreUnavailable`
   */
  async function lookAt(
    context: GraphContext,
    id: RunKey,
    options: ClaimOptions,
    request?: PromptbookRequest,
  ): Promise<Looked> {
    const holder = randomUUID()
    const claimant = { connectionKey: context.caller.key, storeId: id.storeId, holder }
    const claim = await runs.claim(claimant, options).catch((cause: unknown) => {
      // The claim may have been made all the same.
      void runs.release(claimant).catch(() => undefined)
      throw cannotRun('StoreUnavailable', 'the store of promptbook runs does not answer', cause)
    })
    if (claim.kind !== 'mine') return { claim }
    return { claim, mine: await drive(context, id, holder, claim, request) }
  }

  /** Claims a run, or hears how it stands; what may be retried is, when its key comes again. */
  async function claimOrLook(
    context: GraphContext,
    id: RunKey,
    request: BegunRequest | undefined,
    isFirst: boolean,
  ): Promise<Looked> {
    if (!request) return look(`${context.caller.key} ${id.storeId}`, () => lookAt(context, id, {}))
    const { begin } = request
    const looked = await lookAt(context, id, { begin }, request)
    const { claim } = looked
    return isFirst && claim.kind === 'ended' && isRetried(claim.run.state)
      ? lookAt(context, id, { begin, reopen: true }, request)
      : looked
  }

  /**
   * Stays with a run until no step is left or patience is over, and drives it if nobody else does.
   * @throws ConnectorError of a run that cannot begin; `RunNotFound`, `IdempotencyKeyReused` ...
   */
  async function attend(
    context: GraphContext,
    id: RunKey,
    { until, signal }: Patience,
    request?: BegunRequest,
  ): Promise<KeptRun> {
    const isOver = () => clock.monotonic() >= until || signal.aborted || stopping.signal.aborted

    /** Stays with a run that this replica drives; undefined when it is another's now. */
    async function stay(here: DrivenRun, isMine: boolean): Promise<KeptRun | undefined> {
      if (request && here.body !== request.begin.body) throw keyReused()
      if (request) await here.begun
      if (!isOver()) await here.wait(until, signal)
      if (isOver() || runStatus(here.kept.state) !== 'Running') return here.kept
      const settled = await here.settled
      if (settled.kind === 'stopped') return here.kept
      if (settled.kind !== 'paused' || !isMine) return undefined
      // Whose token it was hears why; but a run that has begun is no error of its beginning.
      if (request) return here.kept
      throw settled.error
    }

    let known: KeptRun | undefined
    for (let isFirst = true; ; isFirst = false) {
      const here = driven.get(id.storeId)
      let mine: DrivenRun | undefined
      if (here?.connectionKey !== context.caller.key) {
        try {
          const looked = await claimOrLook(context, id, request, isFirst)
          const { claim } = looked
          mine = looked.mine
          if (!('run' in claim)) refuse(claim)
          known = claim.run
          if (claim.kind === 'ended') return known
          if (claim.kind === 'mine' && !mine && request)
            throw cannotRun('Overloaded', 'this replica drives as many runs as it can')
        } catch (error) {
          const { code } = ConnectorError.from(error)
          if (known === undefined || code !== 'StoreUnavailable') throw error
        }
      }
      const one = here?.connectionKey === context.caller.key ? here : mine
      if (one) {
        const stood = await stay(one, one === mine)
        if (stood) return stood
        known = one.kept
      }
      const hasBegun = known !== undefined && (!request || known.state.steps.length > 0)
      if (known && hasBegun && isOver()) return known
      if (!hasBegun && clock.monotonic() >= context.retryUntil)
        throw cannotRun('StoreUnavailable', 'another request with this key is not done')
      const leftMs = until - clock.monotonic()
      await (hasBegun
        ? clock.sleep(Math.min(lookAgainMs, Math.max(0, leftMs)), signal)
        : clock.sleep(lookAgainMs, never))
    }
  }

  /** Reads the answers; a run that goes on does not fail for want of one. */
  async function report(
    context: GraphContext,
    runId: string,
    { state, createdAt, changedAt }: KeptRun,
    leniently: boolean,
  ): Promise<PromptbookReport> {
    const status = runStatus(state)
    let incomplete = false
    const steps = await readAnswers(cache, context, state, status === 'Running').catch(error => {
      if (!leniently) throw error
      incomplete = true
      return readAnswers(cache, context, state, true)
    })
    return {
      runId,
      sessionId: state.sessionId ?? '',
      promptId: state.steps[0]?.promptId ?? '',
      status,
      steps,
      incomplete,
      errors: runErrors(state),
      createdAt,
      changedAt,
    }
  }

  /** Notes that a request waits for a run. */
  async function waiting<T>(work: () => Promise<T>): Promise<T> {
    observer.longPollsChanged(1)
    try {
      return await work()
    } finally {
      observer.longPollsChanged(-1)
    }
  }

  /** What exists of a run goes into the journal, so that an error of the request carries it. */
  function tell({ journal }: GraphContext, { sessionId, steps }: RunState): void {
    const { promptId, evaluationId } = steps.at(-1) ?? {}
    Object.assign(journal.created, { sessionId, promptId, evaluationId })
  }

  return {
    async run(context, request, patience) {
      const id = runIdOf(context, request)
      const begin = newRun(id, request, clock.now())
      const kept = await waiting(() => attend(context, id, patience, { ...request, begin }))
      tell(context, kept.state)
      if (kept.state.steps.at(-1)?.ended === 'CapacityExceeded')
        throw capacityError(clock.now(), random())
      return report(context, id.runId, kept, true)
    },

    async poll(context, runId, patience) {
      const id = parseRunId(runId)
      if (!id) throw runNotFound()
      const now: Patience = { until: clock.monotonic(), signal: context.signal }
      const kept = patience
        ? await waiting(() => attend(context, id, patience))
        : await attend(context, id, now)
      return report(context, runId, kept, false)
    },

    async close() {
      stopping.abort()
      await Promise.all(driven.values().map(({ settled }) => settled))
    },
  }
}

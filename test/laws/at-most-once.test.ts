import fc from 'fast-check'
import t from 'tap'
import { noBudget } from '../../src/copilot/budget.ts'
import { createCopilot } from '../../src/copilot/copilot.ts'
import { createPollPace } from '../../src/copilot/poll-interval.ts'
import { ConnectorError } from '../../src/errors.ts'
import type { IdempotencyStore } from '../../src/idempotency/store.ts'
import { memoryIdempotency } from '../../src/idempotency/memory.ts'
import { rememberingIdempotency } from '../../src/idempotency/remembering.ts'
import { noObserver } from '../../src/telemetry/observer.ts'
import { callerOf, contextOf } from '../helpers/callers.ts'
import { graphAtLaw, type Attempt } from '../helpers/graph-at-law.ts'
import { lawRuns } from '../helpers/laws.ts'
import { sharedStoreModel } from '../helpers/shared-store-model.ts'
import { virtualTime } from '../helpers/virtual-time.ts'

const attempts = fc.array(
  fc.record({
    attempt: fc.constantFrom<Attempt>(
      'works',
      'throttled',
      'lost after',
      'lost before',
      'no capacity',
    ),
    queueMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 45_000 })),
    runMs: fc.integer({ min: 100, max: 20_000 }),
  }),
  { minLength: 1, maxLength: 6 },
)
type Attempts = typeof attempts extends fc.Arbitrary<infer T> ? T : never

/** What happens beside the calls, at which time. */
const troubles = fc.array(
  fc.record({
    atMs: fc.integer({ min: 0, max: 60_000 }),
    what: fc.constantFrom('pause 0', 'pause 1', 'kill 0', 'lose all', 'lose last', 'away', 'back'),
    ms: fc.integer({ min: 1000, max: 60_000 }),
    how: fc.constantFrom('before' as const, 'after' as const),
  }),
  { maxLength: 3 },
)

const calls = fc.array(
  fc.record({ atMs: fc.integer({ min: 0, max: 90_000 }), replica: fc.constantFrom(0, 1) }),
  { minLength: 1, maxLength: 5 },
)

const schedule = fc.record({
  attempts,
  troubles,
  calls,
  listedAfterMs: fc.integer({ min: 0, max: 7000 }),
})

/** Serves the attempts in turn; what comes after them works at once. */
function inTurn(plan: Attempts) {
  let at = 0
  return () => plan[at++] ?? { attempt: 'works' as const, queueMs: 0, runMs: 100 }
}

interface Outcome {
  readonly replica: number
  readonly evaluationId?: string | undefined
  readonly error?: ConnectorError
  readonly created: object
}

/** A key that is submitted again and again, to two replicas, while this and that happens. */
async function play(
  {
    attempts: plan,
    troubles: trouble,
    calls: callers,
    listedAfterMs,
  }: typeof schedule extends fc.Arbitrary<infer T> ? T : never,
  key: string | undefined,
  inMemory = false,
) {
  const time = virtualTime()
  const store = sharedStoreModel(time.clock)
  const graph = graphAtLaw(time.clock, listedAfterMs)
  const next = inTurn(plan)
  const replicas = [time.replica(), time.replica()] as const
  const copilots = replicas.map(({ clock }) => {
    const idempotency: IdempotencyStore = inMemory
      ? memoryIdempotency(clock)
      : rememberingIdempotency(store.connect(clock, 20), clock)
    return createCopilot({
      graph: graph.client(clock, next),
      idempotency,
      clock,
      pace: createPollPace(),
      skillMode: 'content',
      observer: noObserver,
      budget: noBudget,
      random: () => 0.5,
    })
  })
  const never = new AbortController().signal
  const outcomes: Outcome[] = []

  async function call(replica: 0 | 1, atMs: number): Promise<void> {
    const { clock } = replicas[replica]
    await clock.sleep(atMs, never)
    const context = {
      ...contextOf(callerOf('alice')),
      retryUntil: clock.monotonic() + 30_000,
    }
    const idempotencyKey = key === undefined ? undefined : ({ from: 'caller', name: key } as const)
    const patience = { until: clock.monotonic(), signal: never }
    try {
      const run = await copilots[replica]?.submit(
        context,
        { content: 'Hello', idempotencyKey },
        patience,
      )
      outcomes.push({
        replica,
        evaluationId: run?.evaluation.id,
        created: context.journal.created,
      })
    } catch (error) {
      outcomes.push({
        replica,
        error: ConnectorError.from(error),
        created: { ...context.journal.created },
      })
    }
  }

  async function happen({ atMs, what, ms, how }: (typeof trouble)[number]): Promise<void> {
    await time.clock.sleep(atMs, never)
    if (what === 'pause 0') replicas[0].pause(ms)
    else if (what === 'pause 1') replicas[1].pause(ms)
    else if (what === 'kill 0') replicas[0].kill()
    else if (what === 'lose all') store.loseAll()
    else if (what === 'lose last') store.loseLastWrites()
    else store.away = what === 'away' ? how : 'no'
  }

  for (const { atMs, replica } of callers) void call(inMemory ? 0 : replica, atMs)
  for (const one of trouble) void happen(one)
  await time.run(180_000)
  return { outcomes, spent: graph.spent('Hello') }
}

type Schedule = Parameters<typeof play>[0]
// A law takes as long as its runs.
t.setTimeout(0)

const has = ({ troubles: list }: Schedule, ...whats: string[]) =>
  list.some(({ what }) => whats.includes(what))

t.test(
  'law: a key spends capacity at most once, whatever stands still, ends or is away',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        schedule.filter(one => !has(one, 'lose all', 'lose last')),
        async one => (await play(one, 'k')).spent.length <= 1,
      ),
      { numRuns: lawRuns(0.5) },
    )
  },
)

t.test('law: a key spends at most once though the store loses everything', async () => {
  await fc.assert(
    fc.asyncProperty(
      schedule.filter(one => !has(one, 'kill 0', 'pause 0', 'pause 1', 'away')),
      async one => {
        // Another replica can know only what is recorded again, within 2 s, while it runs.
        const here = { ...one, calls: one.calls.map(call => ({ ...call, replica: 0 as const })) }
        return (await play(here, 'k')).spent.length <= 1
      },
    ),
    { numRuns: lawRuns(0.5) },
  )
})

t.test('law: whoever is answered with a key hears the same ids', async () => {
  await fc.assert(
    fc.asyncProperty(
      schedule.filter(one => !has(one, 'lose all', 'lose last')),
      async one => {
        const { outcomes, spent } = await play(one, 'k')
        const told = new Set(outcomes.flatMap(({ evaluationId }) => evaluationId ?? []))
        const real = new Set(spent.map(({ id }) => id))
        return [...told].filter(id => real.has(id)).length <= 1
      },
    ),
    { numRuns: lawRuns(0.5) },
  )
})

t.test(
  'law: in memory, a key spends capacity at most once, however long anything takes',
  async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async one => {
        const still = { ...one, troubles: one.troubles.filter(({ what }) => what === 'pause 0') }
        return (await play(still, 'k', true)).spent.length <= 1
      }),
      { numRuns: lawRuns(0.5) },
    )
  },
)

t.test('law: without a key, each Submit spends at most once', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async one => {
      const alone = { ...one, calls: one.calls.slice(0, 1) }
      return (await play(alone, undefined)).spent.length <= 1
    }),
    { numRuns: lawRuns(0.5) },
  )
})

t.test('law: no error after a session exists is without its id', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async one => {
      const { outcomes } = await play(one, 'k')
      return outcomes.every(
        ({ error, created }) =>
          error === undefined || error.code === 'StoreUnavailable' || 'sessionId' in created,
      )
    }),
    { numRuns: lawRuns(0.25) },
  )
})

import fc from 'fast-check'
import t from 'tap'
import { noBudget } from '../../src/copilot/budget.ts'
import { createCopilot } from '../../src/copilot/copilot.ts'
import { createPollPace } from '../../src/copilot/poll-interval.ts'
import { ConnectorError } from '../../src/errors.ts'
import type { Evaluation } from '../../src/graph/resources.ts'
import { memoryIdempotency } from '../../src/idempotency/memory.ts'
import { noObserver } from '../../src/telemetry/observer.ts'
import { callerOf, contextOf } from '../helpers/callers.ts'
import { graphAtLaw, type Attempt } from '../helpers/graph-at-law.ts'
import { lawRuns } from '../helpers/laws.ts'
import { runStoreModel } from '../helpers/run-store-model.ts'
import { virtualTime } from '../helpers/virtual-time.ts'

const schedule = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  attempts: fc.array(
    fc.record({
      attempt: fc.constantFrom<Attempt>(
        'works',
        'works',
        'throttled',
        'lost after',
        'lost before',
        'no capacity',
      ),
      queueMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 45_000 })),
      runMs: fc.integer({ min: 100, max: 20_000 }),
    }),
    { maxLength: 6 },
  ),
  troubles: fc.array(
    fc.record({
      atMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 120_000 })),
      what: fc.constantFrom(
        'pause 0',
        'pause 0',
        'pause 1',
        'kill 0',
        'stop 0',
        'lose all',
        'away',
        'back',
      ),
      ms: fc.integer({ min: 1000, max: 60_000 }),
      how: fc.constantFrom('before' as const, 'after' as const),
    }),
    { maxLength: 3 },
  ),
  calls: fc.array(
    fc.record({
      atMs: fc.integer({ min: 0, max: 180_000 }),
      replica: fc.constantFrom(0 as const, 1 as const),
      again: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
  listedAfterMs: fc.integer({ min: 0, max: 7000 }),
  evaluationMs: fc.integer({ min: 0, max: 40_000 }),
})
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never

const never = new AbortController().signal

/** A run on two replicas that share a store, while this and that happens. */
async function play(one: Schedule, key: string | undefined) {
  const time = virtualTime()
  const store = runStoreModel(time.clock)
  const graph = graphAtLaw(time.clock, one.listedAfterMs)
  let at = 0
  const next = () => one.attempts[at++] ?? { attempt: 'works' as const, queueMs: 0, runMs: 100 }
  /** When each evaluation began to run at Graph, by virtual time. */
  const endsAt = new Map<string, number>()
  const endOf = (evaluation: Evaluation): number => {
    const known = endsAt.get(evaluation.id) ?? time.clock.monotonic() + one.evaluationMs
    endsAt.set(evaluation.id, known)
    return known
  }
  const ended: { promptId: string; atMs: number }[] = []
  const replicas = [time.replica(), time.replica()] as const
  const copilots = replicas.map(({ clock }) => {
    const client = graph.client(clock, next)
    return createCopilot({
      graph: {
        ...client,
        async getEvaluation(context, ids) {
          const evaluation = await client.getEvaluation(context, ids)
          if (evaluation.state !== 'running' || time.clock.monotonic() < endOf(evaluation))
            return evaluation
          ended.push({ promptId: ids.promptId, atMs: time.clock.now() })
          return { ...evaluation, state: 'completed', result: { type: 'success', content: 'x' } }
        },
      },
      idempotency: memoryIdempotency(clock),
      runs: store.connect(clock, 20),
      clock,
      pace: createPollPace(),
      skillMode: 'content',
      observer: noObserver,
      budget: noBudget,
      random: () => 0.5,
    })
  })
  const prompts = Array.from({ length: one.count }, (_, step) => ({ content: `Prompt ${step}` }))
  const contextOn = (replica: 0 | 1) => ({
    ...contextOf(callerOf('alice')),
    retryUntil: replicas[replica].clock.monotonic() + 30_000,
  })
  const statuses: string[] = []
  let runId: string | undefined

  async function begin(replica: 0 | 1): Promise<void> {
    const { clock } = replicas[replica]
    const idempotencyKey = key === undefined ? undefined : ({ from: 'caller', name: key } as const)
    const request = { prompts, asked: 'the body', idempotencyKey }
    const patience = { until: clock.monotonic(), signal: never }
    try {
      const report = await copilots[replica]?.runPromptbook(contextOn(replica), request, patience)
      runId ??= report?.runId
      statuses.push(report?.status ?? '')
    } catch (error) {
      statuses.push(ConnectorError.from(error).code)
    }
  }
  async function poll(replica: 0 | 1): Promise<string> {
    if (runId === undefined) return 'Running'
    try {
      const report = await copilots[replica]?.promptbookRun(contextOn(replica), runId)
      return report?.status ?? ''
    } catch (error) {
      return ConnectorError.from(error).code
    }
  }
  async function call({ atMs, replica, again }: Schedule['calls'][number]): Promise<void> {
    await replicas[replica].clock.sleep(atMs, never)
    await (again && key !== undefined ? begin(replica) : poll(replica))
  }
  async function happen({ atMs, what, ms, how }: Schedule['troubles'][number]): Promise<void> {
    await time.clock.sleep(atMs, never)
    if (what === 'pause 0') replicas[0].pause(ms)
    else if (what === 'pause 1') replicas[1].pause(ms)
    else if (what === 'kill 0') replicas[0].kill()
    else if (what === 'stop 0') void copilots[0]?.close()
    else if (what === 'lose all') store.loseAll()
    else store.away = what === 'away' ? how : 'no'
  }
  /** Somebody who polls the other replica to the end. */
  async function living(): Promise<string> {
    const { clock } = replicas[1]
    await clock.sleep(10_000, never)
    for (let left = 240; left > 0; left -= 1) {
      if (left === 200) store.away = 'no'
      // A key comes again on the other replica, too: also while its first call is not answered.
      if (left > 210 && key !== undefined) void begin(1)
      const status = await poll(1)
      if (status !== 'Running' && status !== 'StoreUnavailable') return status
      await clock.sleep(5000, never)
    }
    return 'Running'
  }

  void begin(0)
  for (const each of one.calls) void call(each)
  for (const each of one.troubles) void happen(each)
  let last = 'Running'
  void living().then(status => {
    last = status
    return status
  })
  await time.run(1_500_000)
  const spent = prompts.map(({ content }) => graph.spent(content))
  return { spent, ended, last, runId, store, statuses }
}

t.setTimeout(0)

const has = ({ troubles }: Schedule, ...whats: string[]) =>
  troubles.some(({ what }) => whats.includes(what))
const safe = schedule.filter(one => !has(one, 'lose all'))

const law = (
  arbitrary: fc.Arbitrary<Schedule>,
  key: string | undefined,
  holds: (played: Awaited<ReturnType<typeof play>>) => boolean,
) =>
  fc.assert(
    fc.asyncProperty(arbitrary, async one => holds(await play(one, key))),
    { numRuns: lawRuns(0.5) },
  )

t.test('law: each step of a run has at most one evaluation, whatever stands still or ends', () =>
  law(safe, undefined, ({ spent }) => spent.every(({ length }) => length <= 1)),
)

t.test('law: nor with a key that comes again and again, on either replica', () =>
  law(safe, 'k', ({ spent }) => spent.every(({ length }) => length <= 1)),
)

t.test('law: nor when the store loses everything', () =>
  law(schedule, undefined, ({ spent }) => spent.every(({ length }) => length <= 1)),
)

t.test('law: no step begins before the one before it has ended', () =>
  law(safe, 'k', ({ spent }) =>
    spent.every(([evaluation], step) => {
      if (!evaluation || step === 0) return true
      const [before] = spent[step - 1] ?? []
      return (
        before !== undefined &&
        Date.parse(before.createdDateTime) <= Date.parse(evaluation.createdDateTime)
      )
    }),
  ),
)

t.test('law: a run with a living poller ends', () =>
  law(safe, undefined, ({ last, runId }) => runId === undefined || last !== 'Running'),
)

t.test('law: nothing that the store is given holds a prompt, or what opens it', () =>
  law(schedule, 'k', ({ store, runId = '' }) =>
    store.given.every(
      text => !text.includes('Prompt ') && (runId === '' || !text.includes(runId.slice(22))),
    ),
  ),
)

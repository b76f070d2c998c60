import t from 'tap'
import { noBudget, type Budget } from '../../src/copilot/budget.ts'
import { createCopilot, type Copilot } from '../../src/copilot/copilot.ts'
import { createPollPace } from '../../src/copilot/poll-interval.ts'
import { ConnectorError } from '../../src/errors.ts'
import type { GraphClient } from '../../src/graph/client.ts'
import { memoryIdempotency } from '../../src/idempotency/memory.ts'
import type { RunClaim } from '../../src/run-store/run-store.ts'
import { noObserver } from '../../src/telemetry/observer.ts'
import { callerOf, contextOf, type TestCaller } from '../helpers/callers.ts'
import { graphAtLaw } from '../helpers/graph-at-law.ts'
import { runStoreModel } from '../helpers/run-store-model.ts'
import { virtualTime } from '../helpers/virtual-time.ts'

const never = new AbortController().signal
const promptsOf = (count: number) =>
  Array.from({ length: count }, (_, step) => ({ content: `Prompt ${step}` }))

interface Options {
  readonly evaluationMs?: number
  readonly budget?: Budget
  /** Stands in for what every claim gives. */
  readonly claim?: RunClaim
  /** Stands in for methods of Graph's client. */
  readonly graph?: (client: GraphClient) => Partial<GraphClient>
}

/** Replicas on virtual time that share Graph and a store. */
function runWorld({
  evaluationMs = 16_000,
  budget = noBudget,
  claim,
  graph: change,
}: Options = {}) {
  const time = virtualTime()
  const store = runStoreModel(time.clock)
  const graph = graphAtLaw(time.clock, 0)
  const calls: string[] = []
  const endsAt = new Map<string, number>()
  const works = () => ({ attempt: 'works' as const, queueMs: 0, runMs: 200 })

  function replica() {
    const { clock, kill } = time.replica()
    const client = graph.client(clock, works)
    const evaluating: GraphClient = {
      ...client,
      async getEvaluation(context, ids) {
        const evaluation = await client.getEvaluation(context, ids)
        const end = endsAt.get(evaluation.id) ?? time.clock.monotonic() + evaluationMs
        endsAt.set(evaluation.id, end)
        if (time.clock.monotonic() < end) return evaluation
        return { ...evaluation, state: 'completed', result: { type: 'success', content: 'x' } }
      },
    }
    const ending: GraphClient = {
      ...evaluating,
      async listEvaluations(context, ids) {
        const listed = await client.listEvaluations(context, ids)
        return Promise.all(
          listed.map(({ id }) => evaluating.getEvaluation(context, { ...ids, evaluationId: id })),
        )
      },
    }
    const changed: GraphClient = { ...ending, ...change?.(ending) }
    const counted = Object.fromEntries(
      Object.entries(changed).map(([name, call]) => [
        name,
        (...args: never[]) => {
          calls.push(name)
          return (call as (...all: never[]) => unknown)(...args)
        },
      ]),
    ) as unknown as GraphClient
    const copilot = createCopilot({
      graph: counted,
      idempotency: memoryIdempotency(clock),
      runs: { ...store.connect(clock, 20), ...(claim && { claim: async () => claim }) },
      clock,
      pace: createPollPace(),
      skillMode: 'content',
      observer: noObserver,
      budget,
      random: () => 0.5,
    })
    return { copilot, clock, kill }
  }

  const context = (token?: () => Promise<string>) => ({
    ...contextOf(callerOf('alice', token)),
    retryUntil: time.clock.monotonic() + 30_000,
  })
  const asked = (prompts: { content: string }[], key?: string) => ({
    prompts,
    asked: JSON.stringify(prompts),
    ...(key !== undefined && { idempotencyKey: { from: 'caller', name: key } as const }),
  })
  const now = () => ({ until: time.clock.monotonic(), signal: never })
  const begin = (copilot: Copilot, count: number, key?: string) =>
    copilot.runPromptbook(context(), asked(promptsOf(count), key), now())

  /** Lets so much time pass, whether or not anybody waits for it. */
  async function pass(ms: number): Promise<void> {
    void time.clock.sleep(ms, never)
    await time.run(ms)
  }

  /** The result of work, in virtual time. */
  async function settle<T>(work: Promise<T>, ms = 60_000): Promise<T> {
    work.catch(() => undefined)
    await pass(ms)
    return work
  }
  return { time, pass, store, graph, calls, replica, context, asked, now, begin, settle }
}

const failing = (code: 'InvalidToken' | 'GraphUnavailable' | 'GraphForbidden') => () =>
  Promise.reject(new ConnectorError(code, 'Cannot do it: no'))

t.test('a run of three prompts asks Graph and the store for so much', async t => {
  const w = runWorld()
  const { copilot } = w.replica()
  const { runId } = await w.settle(w.begin(copilot, 3), 300_000)
  const ended = await w.settle(copilot.promptbookRun(w.context(), runId))
  t.match(ended, { status: 'Completed', steps: { length: 3 } })
  const count = (names: string[], name: string) => names.filter(one => one === name).length
  t.equal(count(w.calls, 'createSession'), 1)
  t.equal(count(w.calls, 'createPrompt'), 3)
  t.equal(count(w.calls, 'createEvaluation'), 3)
  t.equal(count(w.calls, 'listEvaluations'), 0)
  t.ok(count(w.calls, 'getEvaluation') <= 3 * 12, String(count(w.calls, 'getEvaluation')))
  // One claim begins it and one reads it; a record for the session and three for each step, and
  // one to renew the claim every 2 s.
  t.equal(count(w.store.commands, 'claim'), 2)
  t.equal(count(w.store.commands, 'release'), 0)
  const renewals = Math.ceil((3 * 22_000) / 2000)
  t.ok(count(w.store.commands, 'record') <= 1 + 3 * 3 + renewals)
  t.equal(count(w.store.commands, 'noteSession'), 2)
  t.comment(`Graph ${w.calls.length}, store ${w.store.commands.length} for three steps`)
})

t.test(
  'a replica that stops hands its runs over at once, within a step and between two',
  async t => {
    for (const stopAtMs of [700, 5000, 18_000, 40_000]) {
      const w = runWorld()
      const [first, second] = [w.replica(), w.replica()]
      const { runId } = await w.settle(w.begin(first.copilot, 3), stopAtMs)
      await w.settle(first.copilot.close(), 1000)
      const poll = () => second.copilot.promptbookRun(w.context(), runId)
      t.match(await w.settle(poll(), 500), { status: 'Running' })
      t.match(await w.settle(first.copilot.promptbookRun(w.context(), runId), 500), {
        status: 'Running',
      })
      await w.pass(200_000)
      t.match(await w.settle(poll()), { status: 'Completed' })
      for (const { content } of promptsOf(3)) t.equal(w.graph.spent(content).length, 1)
    }
  },
)

t.test(
  'a replica that dies is followed 30 s later by whoever polls, and nobody before',
  async t => {
    const w = runWorld()
    const [first, second] = [w.replica(), w.replica()]
    const { runId } = await w.settle(w.begin(first.copilot, 2), 3000)
    first.kill()
    const poll = () => second.copilot.promptbookRun(w.context(), runId)
    await w.settle(poll(), 20_000)
    const { length } = w.calls
    await w.settle(poll(), 1000)
    t.equal(w.calls.length, length, 'nothing is driven')
    await w.pass(12_000)
    await w.settle(poll(), 120_000)
    t.match(await w.settle(poll()), { status: 'Completed' })
    for (const { content } of promptsOf(2)) t.equal(w.graph.spent(content).length, 1)
  },
)

t.test('a token that ends pauses the run, and the next poll goes on with its own', async t => {
  let isOver = false
  const w = runWorld({
    graph: ({ createPrompt }) => ({
      createPrompt: (context, ...rest) =>
        isOver && (context.caller as TestCaller).dropped === 0
          ? failing('InvalidToken')()
          : createPrompt(context, ...rest),
    }),
  })
  const { copilot } = w.replica()
  const { runId } = await w.settle(w.begin(copilot, 2), 2000)
  isOver = true
  await w.pass(60_000)
  const { length } = w.calls
  await w.pass(60_000)
  t.equal(w.calls.length, length, 'it waits')
  const patience = { until: w.time.clock.monotonic() + 5000, signal: never }
  const refused = w.settle(copilot.promptbookRun(w.context(), runId, patience), 5000)
  await t.rejects(refused, { code: 'InvalidToken' }, 'a poll whose token is over as well hears why')
  const context = w.context()
  context.caller.dropGraphToken()
  await w.settle(copilot.promptbookRun(context, runId), 60_000)
  t.match(await w.settle(copilot.promptbookRun(context, runId)), { status: 'Completed' })
  t.equal(w.graph.spent('Prompt 1').length, 1)
})

t.test(
  'a poll of Graph that fails for a while ends nothing, one that fails for long does',
  async t => {
    let away = false
    const w = runWorld({
      graph: ({ getEvaluation }) => ({
        getEvaluation: (...args) => (away ? failing('GraphUnavailable')() : getEvaluation(...args)),
      }),
    })
    const { copilot } = w.replica()
    const { runId } = await w.settle(w.begin(copilot, 1, 'k'), 1000)
    away = true
    await w.pass(120_000)
    t.match(await w.settle(copilot.promptbookRun(w.context(), runId), 100), { status: 'Running' })
    await w.pass(400_000)
    away = false
    t.match(await w.settle(copilot.promptbookRun(w.context(), runId)), {
      status: 'Failed',
      errors: ['Cannot do it: no'],
    })
    t.match(await w.settle(w.begin(copilot, 1, 'k')), { status: 'Running' }, 'its key goes on')
    t.match(await w.settle(copilot.promptbookRun(w.context(), runId)), { status: 'Completed' })
    t.equal(w.graph.spent('Prompt 0').length, 1)
  },
)

t.test('a store that is away holds a run that has begun, and refuses one that has not', async t => {
  const w = runWorld()
  const { copilot } = w.replica()
  const { runId } = await w.settle(w.begin(copilot, 2), 2000)
  w.store.away = 'before'
  await w.pass(120_000)
  t.equal(w.graph.spent('Prompt 1').length, 0, 'no step begins that is not recorded')
  t.match(await w.settle(copilot.promptbookRun(w.context(), runId), 100), { status: 'Running' })
  await t.rejects(w.settle(w.begin(copilot, 1), 1000), { code: 'StoreUnavailable' })
  w.store.away = 'no'
  w.store.loseAll()
  await w.pass(120_000)
  t.match(await w.settle(copilot.promptbookRun(w.context(), runId)), { status: 'Completed' })
})

t.test(
  'a store that fails after the session is there is told with its id, and nothing runs',
  async t => {
    const w = runWorld({
      graph: ({ createSession }) => ({
        async createSession(...args) {
          const session = await createSession(...args)
          w.store.away = 'before'
          return session
        },
      }),
    })
    const context = w.context()
    const { copilot } = w.replica()
    const run = copilot.runPromptbook(context, w.asked(promptsOf(1)), w.now())
    await t.rejects(w.settle(run, 5000), { code: 'StoreUnavailable' })
    t.ok(context.journal.created.sessionId)
    t.notOk(w.calls.includes('createEvaluation'))
  },
)

t.test(
  'the budget is reserved before anything of a step, and given back when nothing ran',
  async t => {
    let left = 2
    const reserved: number[] = []
    const budget: Budget = {
      async reserve() {
        if (left === 0) throw new ConnectorError('BudgetExceeded', 'Cannot start it: used up')
        left -= 1
        reserved.push(left)
        return async () => {
          left += 1
        }
      },
    }
    const w = runWorld({ budget })
    const { copilot } = w.replica()
    const { runId } = await w.settle(w.begin(copilot, 3, 'k'), 200_000)
    t.match(await w.settle(copilot.promptbookRun(w.context(), runId)), {
      status: 'Failed',
      steps: { length: 2 },
      errors: ['Cannot start it: used up'],
    })
    await t.rejects(w.settle(w.begin(copilot, 1, 'other')), { code: 'BudgetExceeded' })
    t.equal(w.calls.filter(call => call === 'createSession').length, 1)
    left = 1
    await w.settle(w.begin(copilot, 3, 'k'), 200_000)
    t.match(await w.settle(copilot.promptbookRun(w.context(), runId)), { status: 'Completed' })
    t.equal(left, 0)

    const refusing = runWorld({
      budget,
      graph: () => ({ createSession: failing('GraphForbidden') }),
    })
    left = 1
    const refused = refusing.begin(refusing.replica().copilot, 1)
    await t.rejects(refusing.settle(refused), { code: 'GraphForbidden' })
    t.equal(left, 1)
  },
)

t.test(
  'more prompts than a replica drives at a time are refused, or wait for another poll',
  async t => {
    const w = runWorld()
    const { copilot } = w.replica()
    const large = [{ content: 'x'.repeat(700_000) }]
    const runs = Array.from({ length: 7 }, () =>
      copilot.runPromptbook(w.context(), w.asked(large), w.now()),
    )
    const outcomes = await w.settle(Promise.allSettled(runs), 2000)
    const refused = outcomes.filter(one => one.status === 'rejected')
    t.ok(refused.length > 0 && refused.length < 7, `${refused.length}`)
    t.ok(refused.every(one => one.status === 'rejected' && one.reason.code === 'Overloaded'))
    const tooLarge = [{ content: 'x'.repeat(900_000) }]
    await t.rejects(copilot.runPromptbook(w.context(), w.asked(tooLarge), w.now()), {
      code: 'PayloadTooLarge',
    })
  },
)

t.test('a run’s name that ends otherwise opens nothing', async t => {
  const w = runWorld()
  const [first, second] = [w.replica(), w.replica()]
  const { runId } = await w.settle(w.begin(first.copilot, 2), 1000)
  await w.settle(first.copilot.close(), 1000)
  const forged = runId.slice(0, 30) + 'A'.repeat(34)
  await t.rejects(w.settle(second.copilot.promptbookRun(w.context(), forged), 500), {
    code: 'RunNotFound',
  })
  t.match(await w.settle(second.copilot.promptbookRun(w.context(), runId), 500), {
    status: 'Running',
  })
})

t.test('Copilot.promptbook() says Running while a run of ours has steps to go', async t => {
  let isOver = true
  const w = runWorld({
    graph: ({ createPrompt }) => ({
      createPrompt: (context, ids, prompt) =>
        isOver && prompt.content === 'Prompt 1'
          ? failing('InvalidToken')()
          : createPrompt(context, ids, prompt),
    }),
  })
  const { copilot } = w.replica()
  const { runId, sessionId, promptId } = await w.settle(w.begin(copilot, 2), 60_000)
  const status = () => w.settle(copilot.promptbook(w.context(), { sessionId, promptId }), 1000)
  t.match(await status(), { state: 'running', steps: { length: 1 } })
  t.equal(w.store.commands.filter(name => name === 'isRunning').length, 1)
  w.store.away = 'before'
  t.match(await status(), { state: 'completed' }, 'nobody is kept from what Graph has')
  w.store.away = 'no'
  isOver = false
  await w.settle(copilot.promptbookRun(w.context(), runId), 60_000)
  t.match(await status(), { state: 'completed', steps: { length: 2 } })
})

t.test('a run whose evaluation never ends is given up after 24 h, and forgotten', async t => {
  const w = runWorld({ evaluationMs: Number.POSITIVE_INFINITY })
  const { copilot } = w.replica()
  const { runId } = await w.settle(w.begin(copilot, 1), 1000)
  await w.pass(24 * 3_600_000)
  const { length } = w.calls
  await w.pass(3_600_000)
  t.equal(w.calls.length, length)
  await t.rejects(w.settle(copilot.promptbookRun(w.context(), runId), 100), { code: 'RunNotFound' })
})

t.test('a run that was refused leaves no trace in the session that it was given', async t => {
  const w = runWorld({ graph: () => ({ createPrompt: failing('GraphForbidden') }) })
  const { copilot } = w.replica()
  const sessionId = '11111111-1111-4111-8111-111111111111'
  const asked = { ...w.asked(promptsOf(1), 'k'), sessionId }
  await t.rejects(w.settle(copilot.runPromptbook(w.context(), asked, w.now()), 1000), {
    code: 'GraphForbidden',
  })
  t.same(w.store.given.at(-1)?.includes('"holder"'), true, 'forgotten last')
  const notes = w.store.given.filter((_, at) => w.store.commands[at] === 'noteSession')
  t.match(notes.at(-1), /,0\]$/)
})

t.test(
  'answers that cannot be read leave a repetition incomplete, and are an error of a poll',
  async t => {
    let away = false
    const w = runWorld({
      graph: ({ getEvaluation }) => ({
        getEvaluation: (...args) => (away ? failing('GraphUnavailable')() : getEvaluation(...args)),
      }),
    })
    const [first, second] = [w.replica(), w.replica()]
    const { runId } = await w.settle(w.begin(first.copilot, 2, 'k'), 120_000)
    away = true
    const again = await w.settle(w.begin(second.copilot, 2, 'k'), 1000)
    t.match(again, { runId, status: 'Completed', incomplete: true })
    t.match(again.steps, [{ resultType: 'Success', content: null }, { resultType: 'Success' }])
    const poll = () => w.settle(second.copilot.promptbookRun(w.context(), runId), 1000)
    await t.rejects(poll(), { code: 'GraphUnavailable' })
    away = false
    t.match(await poll(), { incomplete: false, steps: [{ content: 'x' }, { content: 'x' }] })
  },
)

t.test(
  'a repetition on another replica waits for the first, and hears of the same run',
  async t => {
    const w = runWorld()
    const [first, second] = [w.replica(), w.replica()]
    const both = Promise.all([
      w.begin(first.copilot, 2, 'k'),
      w.begin(second.copilot, 2, 'k'),
      first.copilot.runPromptbook(w.context(), w.asked(promptsOf(1), 'k'), w.now()).catch(String),
    ])
    const [one, other, refused] = await w.settle(both, 5000)
    t.equal(other.runId, one.runId)
    t.equal(other.promptId, one.promptId)
    t.match(refused, /its idempotency key was used with another body/)
  },
)

t.test('what the store refuses is told in words', async t => {
  const cases = [
    [{ kind: 'tooMany', retryAfterMs: 5500 }, 'TooManyKeys', 6],
    [{ kind: 'full' }, 'Overloaded', 10],
  ] as const
  for (const [claim, code, retryAfterSeconds] of cases) {
    const w = runWorld({ claim })
    const refused = w.settle(w.begin(w.replica().copilot, 1), 100)
    await t.rejects(refused, { code, shown: { retryAfterSeconds } })
  }
})

t.test('a key that another is at for too long is 503, and so is a service that stops', async t => {
  const state = { count: 1, steps: [] }
  const w = runWorld({ claim: { kind: 'held', run: { state, createdAt: 0, changedAt: 0 } } })
  const { copilot } = w.replica()
  await t.rejects(w.settle(w.begin(copilot, 1, 'k'), 40_000), { code: 'StoreUnavailable' })

  const stopping = runWorld()
  const stopped = stopping.replica()
  await stopping.settle(stopped.copilot.close(), 100)
  await t.rejects(stopping.settle(stopping.begin(stopped.copilot, 1), 100), {
    code: 'ShuttingDown',
  })
})

import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import {
  ConnectorError,
  type ErrorCode,
  type InnerFacts,
  type ShownFacts,
} from '../../src/errors.ts'
import { createCircuitBreaker } from '../../src/graph/breaker.ts'
import { createBulkhead } from '../../src/graph/bulkhead.ts'
import { isLostResponse, retryDelayMs } from '../../src/graph/retry.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'

const failed = (code: ErrorCode, shown: ShownFacts = {}, inner: InnerFacts = {}): ConnectorError =>
  new ConnectorError(code, 'Cannot do it: no', shown, inner)
const ofStatus = (status: number, inner: InnerFacts = {}) =>
  failed(
    status === 429 ? 'GraphThrottled' : status === 504 ? 'GraphTimeout' : 'GraphError',
    { graph: { status } },
    inner,
  )

const attempt = { made: 1, budgetMs: 30_000, random: 1 }

t.test('retryDelayMs()', async t => {
  const failures: [string, ConnectorError, boolean, boolean][] = [
    ['429', ofStatus(429), true, true],
    ['502', ofStatus(502), true, false],
    ['503', ofStatus(503), true, false],
    ['504', ofStatus(504), true, false],
    ['a connection that broke', failed('GraphUnavailable'), true, false],
    [
      'a connection that was refused',
      failed('GraphUnavailable', {}, { notSent: true }),
      true,
      true,
    ],
    ['no answer in time', failed('GraphTimeout'), true, false],
    ['500', ofStatus(500), false, false],
    ['400', ofStatus(400), false, false],
    ['403', failed('GraphForbidden', { graph: { status: 403 } }), false, false],
    ['404', failed('SessionNotFound', { graph: { status: 404 } }), false, false],
    [
      'an answer that cannot be read',
      failed('GraphInvalidResponse', { graph: { status: 200 } }),
      false,
      false,
    ],
    ['a redirect', failed('GraphInvalidResponse', { graph: { status: 302 } }), false, false],
    [
      'an open breaker',
      failed('GraphUnavailable', {}, { notSent: true, final: true }),
      false,
      false,
    ],
    ['a failure of our own', failed('InternalError'), false, false],
  ]
  for (const [what, error, freely, unlessRun] of failures) {
    t.equal(
      retryDelayMs({ ...attempt, error, repeat: 'freely' }) !== undefined,
      freely,
      `${what}, freely`,
    )
    t.equal(
      retryDelayMs({ ...attempt, error, repeat: 'unless-run' }) !== undefined,
      unlessRun,
      `${what}, unless run`,
    )
  }

  const delay = (more: object) =>
    retryDelayMs({ ...attempt, error: ofStatus(503), repeat: 'freely', ...more })
  t.same(
    [1, 2, 3, 4].map(made => delay({ made })),
    [500, 1000, 2000, undefined],
    'doubles, and gives up after three',
  )
  t.same(
    [0, 0.5].map(random => delay({ random })),
    [0, 250],
    'with full jitter',
  )
  t.equal(delay({ budgetMs: 499 }), undefined, 'not past the budget')
  const suggesting = (suggestedWaitSeconds: number) =>
    delay({ error: ofStatus(503, { suggestedWaitSeconds }) })
  t.same(
    [1, 30, 31].map(suggesting),
    [1000, 30_000, undefined],
    'as Retry-After says, if that is in the budget',
  )
})

t.test('isLostResponse() is true when it cannot be told whether the call ran', async t => {
  for (const error of [
    failed('GraphTimeout'),
    failed('GraphUnavailable'),
    ofStatus(500),
    ofStatus(504),
    failed('GraphUnavailable', { graph: { status: 503 } }),
    failed('GraphInvalidResponse', { graph: { status: 201 } }),
  ]) {
    t.equal(isLostResponse(error), true, error.code)
  }
  for (const error of [
    ofStatus(400),
    ofStatus(429),
    failed('GraphForbidden', { graph: { status: 403 } }),
    failed('GraphUnavailable', {}, { notSent: true }),
    failed('InsufficientClaims'),
    failed('EntraUnavailable'),
  ]) {
    t.equal(isLostResponse(error), false, error.code)
  }
})

t.test('the circuit breaker', async t => {
  const failing = () => Promise.reject(ofStatus(500))
  const works = async () => 'fine'
  const isFailure = (error: unknown) =>
    error instanceof ConnectorError && error.code === 'GraphError'
  const make = (clock = leapingClock(), onChange: (open: boolean) => void = () => undefined) => ({
    clock,
    breaker: createCircuitBreaker({ clock, isFailure, onChange }),
  })
  type Made = ReturnType<typeof make>

  /** So many calls, one every `everyMs`; every `good`-th works. */
  async function call({ clock, breaker }: Made, times: number, everyMs: number, good = 0) {
    for (let at = 1; at <= times; at += 1) {
      if (good > 0 && at % good === 0) await breaker.run(works)
      else await t.rejects(breaker.run(failing))
      clock.advance(everyMs)
    }
  }

  await t.test('opens when half of at least 10 calls failed within 10 s, and says so', async t => {
    const heard: boolean[] = []
    const made = make(leapingClock(), open => heard.push(open))
    await call(made, 9, 300)
    t.equal(await made.breaker.run(works), 'fine', 'nine are not enough')
    await t.rejects(made.breaker.run(failing), { code: 'GraphError' })
    const never = () => Promise.reject(new Error('nothing is sent'))
    await t.rejects(made.breaker.run(never), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 5 },
      inner: { notSent: true, ours: true },
    })
    t.same(heard, [true])
    t.notOk(made.breaker.idle)
  })

  await t.test('stays closed when fewer than half failed', async t => {
    const made = make()
    for (let at = 0; at < 30; at += 1) {
      await t.rejects(made.breaker.run(failing))
      await made.breaker.run(works)
      await made.breaker.run(works)
      made.clock.advance(300)
    }
    t.equal(await made.breaker.run(works), 'fine')
  })

  await t.test('stays closed when all broke in the same moment', async t => {
    const made = make()
    await call(made, 100, 10)
    t.equal(await made.breaker.run(works), 'fine')
  })

  await t.test('counts only outages, and only the last 10 s', async t => {
    const made = make()
    for (let at = 0; at < 30; at += 1) {
      await t.rejects(made.breaker.run(() => Promise.reject(ofStatus(429))))
      made.clock.advance(300)
    }
    made.clock.advance(10_000)
    await call(made, 9, 1200)
    made.clock.advance(10_000)
    t.ok(made.breaker.idle)
  })

  await t.test('lets one call try after 5 s, doubling to 30 s while it fails', async t => {
    const heard: boolean[] = []
    const made = make(leapingClock(), open => heard.push(open))
    const { clock, breaker } = made
    await call(made, 10, 300)
    for (const seconds of [5, 10, 20, 30, 30]) {
      clock.advance(seconds * 1000 - 300)
      const trying = Promise.withResolvers<string>()
      clock.advance(300)
      const tried = breaker.run(() => trying.promise)
      await t.rejects(breaker.run(works), { code: 'GraphUnavailable' }, 'one at a time')
      trying.reject(ofStatus(500))
      await t.rejects(tried, { code: 'GraphError' })
    }
    await t.rejects(breaker.run(works), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 30 },
    })
    clock.advance(30_000)
    t.equal(await breaker.run(works), 'fine')
    await t.rejects(breaker.run(failing), { code: 'GraphError' })
    t.equal(await breaker.run(works), 'fine')
    t.same(heard, [true, false])
  })

  await t.test('is not moved by the wall clock', async t => {
    const made = make()
    await call(made, 10, 300)
    made.clock.setWall(-600_000)
    made.clock.advance(5000)
    t.equal(await made.breaker.run(works), 'fine')
  })
})

t.test('the bulkhead', async t => {
  const never = new AbortController().signal
  const limits = { perConnection: 2, total: 3 }

  /** Calls by name that stay under way until they are told to end. */
  function calls(maxWaitMs = 15_000) {
    const bulkhead = createBulkhead({ ...limits, maxWaitMs })
    const order: string[] = []
    const gates = new Map<string, PromiseWithResolvers<void>>()
    return {
      order,
      async end(name: string, error?: Error) {
        const gate = gates.get(name)
        if (error) gate?.reject(error)
        else gate?.resolve()
        await turn()
        await turn()
      },
      call: (name: string, urgency: 'caller' | 'poll' = 'caller', signal = never) =>
        bulkhead({ connectionKey: name.slice(0, 1), urgency, signal }, async () => {
          order.push(name)
          const gate = Promise.withResolvers<void>()
          gates.set(name, gate)
          await gate.promise
        }),
    }
  }

  await t.test('lets each connection and all together have their share at once', async t => {
    const { call, end, order } = calls()
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map(name => call(name))
    await turn()
    t.same(order, ['a1', 'a2', 'b1'])
    await end('a1')
    t.same(order, ['a1', 'a2', 'b1', 'c1'], 'who has the fewest under way goes first')
    await end('a2')
    t.same(order.slice(4), ['a3'])
    for (const name of ['b1', 'c1', 'a3', 'b2']) await end(name)
    await Promise.all(all)
    t.same(order.slice(5), ['b2'])
  })

  await t.test('lets callers go before polls', async t => {
    const { call, end, order } = calls()
    const all = [call('a1'), call('a2'), call('a3', 'poll'), call('a4', 'poll'), call('a5')]
    await end('a1')
    t.same(order, ['a1', 'a2', 'a5'])
    for (const name of ['a2', 'a5', 'a3', 'a4']) await end(name)
    await Promise.all(all)
    t.same(order.slice(3), ['a3', 'a4'])
  })

  await t.test('gives the place of a call that failed to the next', async t => {
    const { call, end, order } = calls()
    const failed = t.rejects(call('a1'), { message: 'failed' })
    const others = [call('a2'), call('a3')]
    await turn()
    await end('a1', new Error('failed'))
    await failed
    t.same(order, ['a1', 'a2', 'a3'])
    for (const name of ['a2', 'a3']) await end(name)
    await Promise.all(others)
  })

  await t.test('makes no call whose caller has left, or whose turn does not come', async t => {
    const { call, end, order } = calls(10)
    const left = new AbortController()
    const others = [call('a1'), call('a2')]
    const refused = { code: 'GraphTimeout', inner: { notSent: true, ours: true } }
    const waiting = t.rejects(call('a3', 'caller', left.signal), refused)
    left.abort()
    await waiting
    await t.rejects(call('a4', 'caller', left.signal), refused)
    await t.rejects(call('a5'), refused)
    for (const name of ['a1', 'a2']) await end(name)
    await Promise.all(others)
    t.same(order, ['a1', 'a2'])
  })
})

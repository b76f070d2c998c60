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

t.test('the breaker', async t => {
  const fails = () => Promise.reject(ofStatus(500))
  const works = async () => 'fine'
  const isFailure = (error: unknown) =>
    error instanceof ConnectorError && error.code === 'GraphError'

  await t.test('opens after 5 failures in a row, and says how long', async t => {
    const clock = leapingClock()
    const breaker = createCircuitBreaker(clock, isFailure, () => undefined)
    for (let call = 0; call < 5; call += 1)
      await t.rejects(breaker.run(fails), { code: 'GraphError' })
    clock.advance(10_000)
    const never = () => Promise.reject(new Error('nothing is sent'))
    await t.rejects(breaker.run(never), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 20 },
      inner: { notSent: true },
    })
  })

  await t.test('counts only failures in a row, and only outages', async t => {
    const breaker = createCircuitBreaker(leapingClock(), isFailure, () => undefined)
    for (let call = 0; call < 20; call += 1) {
      await t.rejects(breaker.run(call % 5 === 4 ? () => Promise.reject(ofStatus(429)) : fails))
    }
    t.equal(await breaker.run(works), 'fine')
  })

  await t.test('lets one call try after 30 s, and opens or closes by it', async t => {
    const clock = leapingClock()
    const heard: boolean[] = []
    const breaker = createCircuitBreaker(clock, isFailure, open => heard.push(open))
    for (let call = 0; call < 5; call += 1) await t.rejects(breaker.run(fails))
    clock.advance(30_000)
    const { promise, reject } = Promise.withResolvers<string>()
    const probe = breaker.run(() => promise)
    await t.rejects(breaker.run(works), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 1 },
    })
    reject(ofStatus(500))
    await t.rejects(probe, { code: 'GraphError' })
    await t.rejects(breaker.run(works), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 30 },
    })

    clock.advance(30_000)
    t.equal(await breaker.run(works), 'fine')
    await t.rejects(breaker.run(fails), { code: 'GraphError' })
    t.equal(await breaker.run(works), 'fine')
    t.same(heard, [true, false])
  })
})

t.test('the bulkhead lets each connection have its share at once, in order', async t => {
  const bulkhead = createBulkhead(2)
  const order: string[] = []
  const gates = new Map<string, () => void>()
  const call = (key: string, name: string) =>
    bulkhead(key, async () => {
      order.push(name)
      await new Promise<void>(resolve => gates.set(name, resolve))
      if (name === 'a1') throw new Error('failed')
    })
  const calls = [
    call('a', 'a1'),
    call('a', 'a2'),
    call('a', 'a3'),
    call('a', 'a4'),
    call('b', 'b1'),
  ]
  const first = t.rejects(calls[0] as Promise<void>, { message: 'failed' })
  await turn()
  t.same(order, ['a1', 'a2', 'b1'])
  gates.get('a1')?.()
  await first
  await turn()
  t.same(order, ['a1', 'a2', 'b1', 'a3'])
  gates.get('a2')?.()
  await turn()
  for (const name of ['a3', 'a4', 'b1']) gates.get(name)?.()
  await Promise.all(calls.slice(1))
  t.same(order, ['a1', 'a2', 'b1', 'a3', 'a4'])
})

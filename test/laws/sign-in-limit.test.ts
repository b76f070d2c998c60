import fc from 'fast-check'
import t from 'tap'
import { createSignInLimit } from '../../src/auth/sign-in-limit.ts'
import { ConnectorError } from '../../src/errors.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { lawRuns } from '../helpers/laws.ts'

const windowMs = 60_000
const refuse = () => Promise.reject(new ConnectorError('InvalidClientCredentials', 'Cannot: test'))
const accept = async () => 'token'

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: ConnectorError) => error.code,
  )

t.test('law: sign-ins are let out exactly as often as the limits say', async () => {
  const step = fc.record({
    waitMs: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(30_000)),
    app: fc.integer({ min: 0, max: 9 }),
    right: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 300 }), async steps => {
      const clock = leapingClock()
      const limit = createSignInLimit({ clock, maxWaitMs: 5000 })
      const refused: { app: number; at: number }[] = []
      for (const [index, { waitMs, app, right }] of steps.entries()) {
        clock.advance(waitMs)
        const now = clock.monotonic()
        const inWindow = refused.filter(({ at }) => now - at < windowMs)
        const fits = inWindow.length < 60 && inWindow.filter(one => one.app === app).length < 10
        let asked = false
        const code = await codeOf(
          limit.run(`app ${app}`, `proof ${index}`, () => {
            asked = true
            return right ? accept() : refuse()
          }),
        )
        if (asked !== fits) throw new Error(`At ${now}: asked ${asked}, fits ${fits}`)
        if (code === 'InvalidClientCredentials') refused.push({ app, at: now })
      }
    }),
    { numRuns: lawRuns() },
  )
})

t.test('the limit of sign-ins', async t => {
  await t.test('tells when the next one is let out', async t => {
    const clock = leapingClock()
    const limit = createSignInLimit({ clock, maxWaitMs: 5000 })
    for (let index = 0; index < 60; index += 1) {
      await codeOf(limit.run(`app ${index % 6}`, `${index}`, refuse))
      clock.advance(100)
    }
    const refusal = await limit.run('app 0', 'x', refuse).catch((error: unknown) => error)
    t.match(refusal, {
      code: 'TooManyFailedSignIns',
      status: 429,
      message: /sign-ins of this app .* in 54 seconds/,
      shown: { retryAfterSeconds: 54 },
    })
    const other = await limit.run('another app', 'x', refuse).catch((error: unknown) => error)
    t.match(other, { code: 'TooManyFailedSignIns', message: /sign-ins of apps .* in 54 seconds/ })
    clock.advance(54_000)
    t.equal(await codeOf(limit.run('another app', 'x', refuse)), 'InvalidClientCredentials')
  })

  await t.test('counts those under way: more wait, and go when these were right', async t => {
    const limit = createSignInLimit({ clock: leapingClock(), maxWaitMs: 5000 })
    const answers: (() => void)[] = []
    const run = (index: number) =>
      limit.run('app', `${index}`, () => new Promise<void>(resolve => answers.push(resolve)))
    const all = Promise.all(Array.from({ length: 30 }, (_, index) => run(index)))
    for (const expected of [10, 20, 30]) {
      await new Promise(resolve => setImmediate(resolve))
      t.equal(answers.length, expected)
      for (const answer of answers) answer()
    }
    await all
  })

  await t.test('does not let one wait longer than Entra may take', async t => {
    const clock = leapingClock()
    const limit = createSignInLimit({ clock, maxWaitMs: 5000 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const first = Array.from({ length: 10 }, (_, index) =>
      limit.run('app', `${index}`, () => promise),
    )
    const late = codeOf(limit.run('app', 'late', accept))
    clock.advance(5001)
    resolve()
    await Promise.all(first)
    t.equal(await late, 'EntraUnavailable')
  })

  await t.test('lets 1,000 wait and refuses more', async t => {
    const limit = createSignInLimit({ clock: leapingClock(), maxWaitMs: 5000 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const work = Array.from({ length: 1011 }, (_, index) =>
      codeOf(limit.run('app', `${index}`, () => promise)),
    )
    t.equal(await work.at(-1), 'TooManyFailedSignIns')
    resolve()
    const codes = await Promise.all(work)
    t.equal(codes.filter(code => code === 'accepted').length, 1010)
  })

  await t.test('remembers refusals in the order in which they began', async t => {
    const clock = leapingClock()
    const limit = createSignInLimit({ clock, maxWaitMs: 5000 })
    const failing: ((error: Error) => void)[] = []
    const slow = Array.from({ length: 5 }, (_, index) =>
      codeOf(
        limit.run('app', `slow ${index}`, () => new Promise((_, reject) => failing.push(reject))),
      ),
    )
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(30_000)
    for (let index = 0; index < 5; index += 1) await codeOf(limit.run('app', `${index}`, refuse))
    for (const fail of failing) fail(new ConnectorError('InvalidClientCredentials', 'Cannot: test'))
    await Promise.all(slow)
    t.equal(await codeOf(limit.run('app', 'x', refuse)), 'TooManyFailedSignIns')
    clock.advance(30_000)
    for (let index = 0; index < 5; index += 1)
      t.equal(await codeOf(limit.run('app', `x${index}`, refuse)), 'InvalidClientCredentials')
    t.equal(await codeOf(limit.run('app', 'x', refuse)), 'TooManyFailedSignIns')
  })
})

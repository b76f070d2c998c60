import t, { type Test } from 'tap'
import { beginRun } from '../../src/promptbooks/run-state.ts'
import { memoryRuns } from '../../src/run-store/memory.ts'
import { redisRuns } from '../../src/run-store/redis.ts'
import {
  maxRuns,
  type NewRun,
  type RunClaimant,
  type RunRecord,
  type RunStore,
} from '../../src/run-store/run-store.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'

const one: RunClaimant = { connectionKey: 'c', storeId: 's', holder: 'one' }
const two: RunClaimant = { ...one, holder: 'two' }
const guid = '11111111-1111-4111-8111-111111111111'
const dates = { createdAt: 1000, changedAt: 1000 }
const begin: NewRun = { ...dates, state: beginRun(2), body: 'b', sealed: 'sealed text' }
const state = { count: 2, sessionId: guid, steps: [{ promptId: guid }] }
const record: RunRecord = {
  state,
  createdAt: 1000,
  changedAt: 2000,
  open: true,
  hold: true,
  over: false,
}

interface Made {
  readonly store: RunStore
  pass(ms: number): Promise<void>
}
type Make = (t: Test) => Promise<Made>

const inMemory: Make = async () => {
  const clock = leapingClock()
  const store = memoryRuns(clock, { holdMs: 30_000 })
  return { store, pass: async ms => clock.advance(ms) }
}

/** Redis's own clock cannot be set, so what the store wrote down is moved into the past. */
const onRedis: Make = async t => {
  const redis = await (await redisServer(t)).connect()
  const pass = async (ms: number) => {
    for (const key of await redis.keys('*')) {
      const left = await redis.pttl(key)
      if (left <= ms) await redis.del(key)
      else await redis.pexpire(key, left - ms)
      if ((await redis.type(key)) !== 'hash') continue
      const heldUntil = Number(await redis.hget(key, 'heldUntil'))
      if (heldUntil > 0) await redis.hset(key, 'heldUntil', String(heldUntil - ms))
    }
  }
  return { store: redisRuns(redis), pass }
}

for (const [name, make] of Object.entries({ 'in memory': inMemory, 'on Redis': onRedis })) {
  t.test(`the store of runs ${name}`, async t => {
    await t.test('gives a run to one driver, and to nobody else while it holds', async t => {
      const { store, pass } = await make(t)
      t.same(await store.claim(one), { kind: 'none' })
      t.same(await store.claim(one, { begin }), { kind: 'mine', run: begin, fresh: true })
      t.match(await store.claim(two), { kind: 'held', run: { state: begin.state, ...dates } })
      t.match(await store.claim(one), { kind: 'mine', fresh: false, run: begin })
      await pass(29_000)
      t.equal(await store.record(one, record), 'mine')
      await pass(29_000)
      t.match(await store.claim(two), { kind: 'held', run: { state } })
      await pass(1001)
      t.same(await store.claim(two), {
        kind: 'mine',
        run: { ...begin, state, createdAt: 1000, changedAt: 2000 },
        fresh: false,
      })
      t.equal(await store.record(one, record), 'lost')
    })

    await t.test('knows a run of its own connection only, and refuses another body', async t => {
      const { store } = await make(t)
      await store.claim(one, { begin })
      t.same(await store.claim({ ...two, connectionKey: 'd' }), { kind: 'none' })
      const other = { ...begin, body: 'other' }
      t.same(await store.claim(two, { begin: other }), { kind: 'reused' })
    })

    await t.test('a driver that goes hands the run over at once', async t => {
      const { store } = await make(t)
      await store.claim(one, { begin })
      await store.release(two)
      t.match(await store.claim(two), { kind: 'held' })
      await store.release(one)
      t.match(await store.claim(two), { kind: 'mine' })
      await store.record(two, { ...record, hold: false })
      t.match(await store.claim(one), { kind: 'mine', run: { state, sealed: 'sealed text' } })
    })

    await t.test('an ended run is claimed to be opened again only', async t => {
      const { store } = await make(t)
      await store.claim(one, { begin })
      await store.record(one, { ...record, open: false, hold: false })
      t.match(await store.claim(two, { begin }), { kind: 'ended', run: { state } })
      t.match(await store.claim(two, { begin, reopen: true }), {
        kind: 'mine',
        run: { sealed: 'sealed text' },
      })
      await store.record(two, { ...record, open: false, hold: false, over: true })
      t.match(await store.claim(two, { reopen: true }), { kind: 'mine', run: { sealed: '' } })
    })

    await t.test(
      'writes a run anew that it has lost, and forgets one that created nothing',
      async t => {
        const { store } = await make(t)
        t.equal(await store.record(one, record), 'gone')
        t.equal(await store.record(one, record, { ...begin, ...record }), 'mine')
        t.match(await store.claim(two), { kind: 'held', run: { state } })
        await store.forget(two)
        t.match(await store.claim(two), { kind: 'held' })
        await store.forget(one)
        t.same(await store.claim(two), { kind: 'none' })
      },
    )

    await t.test('keeps a run for 24 h from its beginning', async t => {
      const { store, pass } = await make(t)
      await store.claim(one, { begin })
      await pass(24 * 3_600_000 - 60_000)
      await store.record(one, { ...record, open: false, hold: false })
      t.match(await store.claim(two), { kind: 'ended' })
      await pass(60_001)
      t.same(await store.claim(two), { kind: 'none' })
    })

    await t.test('lets a connection have 10,000 runs, and no more', async t => {
      const { store } = await make(t)
      const small = { ...begin, sealed: '' }
      const more = Array.from({ length: maxRuns }, (_, at) => ({ ...one, storeId: `s${at}` }))
      for (let at = 0; at < maxRuns; at += 1000) {
        const some = more.slice(at, at + 1000)
        await Promise.all(some.map(claimant => store.claim(claimant, { begin: small })))
      }
      const refused = await store.claim(one, { begin: small })
      t.match(refused, { kind: 'tooMany' })
      t.ok(refused.kind === 'tooMany' && refused.retryAfterMs <= 24 * 3_600_000)
      t.match(await store.claim({ ...one, connectionKey: 'd' }, { begin: small }), { kind: 'mine' })
    })

    await t.test('tells whether a session has runs with steps to go', async t => {
      const { store } = await make(t)
      t.equal(await store.isRunning('x', 1000), false)
      await store.noteSession('x', 'a', 5000)
      await store.noteSession('x', 'b', 6000)
      t.equal(await store.isRunning('x', 1000), true)
      await store.noteSession('x', 'b', 0)
      t.equal(await store.isRunning('x', 4999), true)
      t.equal(await store.isRunning('x', 5001), false)
      await store.noteSession('x', 'a', 0)
      t.equal(await store.isRunning('x', 1000), false)
    })
  })
}

t.test('in memory', async t => {
  await t.test('a claim has no end, since its holder cannot die alone', async t => {
    const clock = leapingClock()
    const store = memoryRuns(clock)
    await store.claim(one, { begin })
    clock.advance(3_600_000)
    t.match(await store.claim(two), { kind: 'held' })
  })

  await t.test('bytes are bounded, for all and for each connection', async t => {
    const clock = leapingClock()
    const store = memoryRuns(clock, { maxBytes: 5500, maxConnectionBytes: 3300 })
    const large = { ...begin, sealed: 'x'.repeat(1500) }
    t.match(await store.claim(one, { begin: large }), { kind: 'mine' })
    t.same(await store.claim({ ...one, storeId: 't' }, { begin: large }), { kind: 'full' })
    t.match(await store.claim({ ...one, connectionKey: 'd' }, { begin: large }), { kind: 'mine' })
    t.same(await store.claim({ ...one, connectionKey: 'e' }, { begin: large }), { kind: 'full' })
    await store.record(one, { ...record, open: false, hold: false, over: true })
    t.match(await store.claim({ ...one, storeId: 't' }, { begin: large }), { kind: 'mine' })
    await store.noteSession('x', 'a', 1)
    clock.advance(24 * 3_600_000)
    t.match(await store.claim({ ...one, connectionKey: 'e' }, { begin: large }), { kind: 'mine' })
  })
})

t.test('on Redis', async t => {
  await t.test('gives back no id that is none, and nothing of another form', async t => {
    const redis = await (await redisServer(t)).connect()
    const store = redisRuns(redis)
    const bad = [
      { ...state, sessionId: '../../me/messages?x=' },
      { ...state, steps: [{ promptId: '../x' }] },
      { ...state, count: 51 },
      { ...state, more: 1 },
    ]
    for (const one of bad) {
      await redis.flushall()
      await store.claim({ connectionKey: 'c', storeId: 's', holder: 'h' }, { begin })
      await redis.hset('copilot:run:{c}:s', 'state', JSON.stringify(one))
      await t.rejects(store.claim(two))
    }
  })

  await t.test('each run lies beside its connection’s others', async t => {
    const redis = await (await redisServer(t)).connect()
    await redisRuns(redis).claim(one, { begin })
    t.same((await redis.keys('*')).toSorted(), ['copilot:run:{c}:s', 'copilot:runs:{c}'])
  })
})

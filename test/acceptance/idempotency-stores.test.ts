import t, { type Test } from 'tap'
import { memoryIdempotency } from '../../src/idempotency/memory.ts'
import { redisIdempotency } from '../../src/idempotency/redis.ts'
import { rememberingIdempotency } from '../../src/idempotency/remembering.ts'
import {
  maxKeys,
  type Claimant,
  type CompleteIds,
  type IdempotencyStore,
} from '../../src/idempotency/store.ts'
import { watchRestarts } from '../../src/redis-restarts.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'

const one: Claimant = { connectionKey: 'c', key: 'k', bodyHash: 'b', holder: 'one' }
const two: Claimant = { ...one, holder: 'two' }
const ids: CompleteIds = {
  sessionId: '11111111-1111-4111-8111-111111111111',
  promptId: '22222222-2222-4222-8222-222222222222',
  evaluationId: '33333333-3333-4333-8333-333333333333',
}
const { evaluationId, ...begun } = ids
const nothing = { sending: false }

/** A store, and what can be done to it from outside. */
interface Made {
  readonly store: IdempotencyStore
  pass(ms: number): Promise<void>
  /** Everything in it is lost. */
  lose(): Promise<void>
}
type Make = (t: Test) => Promise<Made>

const inMemory: Make = async () => {
  const clock = leapingClock()
  const store = memoryIdempotency(clock)
  return { store, pass: async ms => clock.advance(ms), lose: async () => undefined }
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
  return {
    store: redisIdempotency(redis),
    pass,
    lose: async () => void (await redis.flushall()),
  }
}

for (const [name, make] of Object.entries({ 'in memory': inMemory, 'on Redis': onRedis })) {
  t.test(`the store ${name}`, async t => {
    await t.test('gives a key to one claimant, and to nobody else while it holds', async t => {
      const { store } = await make(t)
      t.same(await store.claim(one), { kind: 'mine', progress: nothing })
      t.match(await store.claim(two), { kind: 'held' })
      t.match(await store.claim(one), { kind: 'mine' })
      t.match(await store.claim({ ...two, key: 'another' }), { kind: 'mine' })
      t.match(await store.claim({ ...two, connectionKey: 'another' }), { kind: 'mine' })
    })

    await t.test('refuses a key with another body', async t => {
      const { store } = await make(t)
      await store.claim(one)
      t.match(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'reused' })
    })

    await t.test('tells who is done, with all ids, and who is at it, with what exists', async t => {
      const { store } = await make(t)
      await store.claim(one)
      t.equal(await store.record(one, { ...begun, sending: true }), 'mine')
      t.match(await store.claim(two), { kind: 'held', ids: begun })
      t.equal(await store.record(one, { ...ids, sending: true }), 'mine')
      t.match(await store.claim(two), { kind: 'done', ids })
      t.match(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'reused' })
    })

    await t.test('hands a released key on with what was recorded', async t => {
      const { store } = await make(t)
      await store.claim(one)
      await store.release(one, { ...begun, sending: true })
      t.same(await store.claim(two), { kind: 'mine', progress: { ...begun, sending: true } })
    })

    await t.test('keeps nothing of a released key that created nothing', async t => {
      const { store } = await make(t)
      await store.claim(one)
      await store.release(one, nothing)
      t.same(await store.claim({ ...two, bodyHash: 'other' }), {
        kind: 'mine',
        progress: nothing,
      })
    })

    await t.test('forgets a key after 24 h', async t => {
      const { store, pass } = await make(t)
      await store.claim(one)
      await store.record(one, { ...ids, sending: true })
      await pass(24 * 3_600_000 - 60_000)
      t.match(await store.claim(two), { kind: 'done' })
      await pass(60_001)
      t.match(await store.claim({ ...two, bodyHash: 'other' }), {
        kind: 'mine',
        progress: nothing,
      })
    })

    await t.test('opens a key again whose evaluation spent nothing, for one request', async t => {
      const { store } = await make(t)
      await store.claim(one)
      await store.record(one, { ...ids, sending: true })
      t.same(await store.reopen(two, evaluationId), {
        kind: 'mine',
        progress: { ...begun, sending: false },
      })
      t.match(await store.reopen({ ...two, holder: 'three' }, evaluationId), { kind: 'held' })
      t.match(await store.claim({ ...two, holder: 'three' }), { kind: 'held' })
      t.equal(await store.record(one, { ...begun, sending: false }), 'lost')
    })

    await t.test('lets a connection have 10,000 live keys, and no more', async t => {
      const { store, pass } = await make(t)
      await store.claim(one)
      await pass(1000)
      const more = Array.from({ length: maxKeys - 1 }, (_, at) => ({ ...one, key: `k${at}` }))
      for (let at = 0; at < more.length; at += 500) {
        await Promise.all(more.slice(at, at + 500).map(claimant => store.claim(claimant)))
      }
      const refused = await store.claim({ ...one, key: 'one too many' })
      t.match(refused, { kind: 'tooMany' })
      t.ok(refused.kind === 'tooMany' && refused.retryAfterMs <= 24 * 3_600_000)
      t.match(await store.claim(one), { kind: 'mine' }, 'one that lives already')
      t.match(await store.claim({ ...one, connectionKey: 'another' }), { kind: 'mine' })
      await store.release(one, nothing)
      t.match(await store.claim({ ...one, key: 'one too many' }), { kind: 'mine' })
    })
  })
}

t.test('in memory, a claim has no end, since its holder cannot die alone', async t => {
  const { store, pass } = await inMemory(t)
  await store.claim(one)
  await pass(3_600_000)
  t.match(await store.claim(two), { kind: 'held' })
  t.equal(store.holdMs, Number.POSITIVE_INFINITY)
})

t.test('on Redis', async t => {
  await t.test('gives a key free 30 s after its holder was last heard of', async t => {
    const { store, pass } = await onRedis(t)
    await store.claim(one)
    await pass(20_000)
    t.equal(await store.record(one, { ...begun, sending: false }), 'mine')
    await pass(29_000)
    t.match(await store.claim(two), { kind: 'held' })
    await pass(1000)
    t.match(await store.claim(two), { kind: 'mine', progress: begun })
  })

  await t.test('takes nothing from whom the key was taken', async t => {
    const { store, pass } = await onRedis(t)
    await store.claim(one)
    await pass(30_001)
    await store.claim(two)
    t.equal(await store.record(one, { ...begun, sending: false }), 'lost')
    await store.release(one, nothing)
    t.match(await store.claim({ ...one, holder: 'three' }), { kind: 'held' })
    t.equal(await store.record(two, { ...ids, sending: true }), 'mine')
    t.equal(await store.record(one, { ...begun, sending: true }), 'done')
  })

  await t.test('writes an entry anew that the store has lost', async t => {
    const { store, lose } = await onRedis(t)
    await store.claim(one)
    await lose()
    t.equal(await store.record(one, { ...begun, sending: true }), 'mine')
    t.match(await store.claim(two), { kind: 'held', ids: begun })
    await lose()
    t.equal(await store.record(one, { ...ids, sending: true }), 'mine')
    t.match(await store.claim(two), { kind: 'done', ids })
  })

  await t.test(
    'takes a lost entry back from who claimed it meanwhile and has not sent',
    async t => {
      const { store, lose } = await onRedis(t)
      await store.claim(one)
      await lose()
      await store.claim(two)
      t.equal(await store.record(one, { ...begun, sending: true }), 'mine')
      t.equal(await store.record(two, { ...begun, sending: true }), 'lost')
    },
  )

  await t.test('does not take it back from who may have sent as well', async t => {
    const { store, lose } = await onRedis(t)
    await store.claim(one)
    await lose()
    await store.claim(two)
    await store.record(two, { ...begun, sending: true })
    t.equal(await store.record(one, { ...begun, sending: true }), 'lost')
    t.equal(await store.record(one, { ...ids, sending: true }), 'mine', 'what ran is told')
    t.equal(await store.record(two, { ...begun, sending: true }), 'done')
  })

  await t.test('is told again what a replica remembers once it is back, empty', async t => {
    const server = await redisServer(t)
    const redis = await server.connect()
    const remembering = rememberingIdempotency(redisIdempotency(redis), leapingClock())
    const restored = Promise.withResolvers<void>()
    watchRestarts(redis, () => void remembering.restore().then(restored.resolve))
    await remembering.claim(one)
    await remembering.record(one, { ...ids, sending: true })
    const other = { ...one, key: 'under way' }
    await remembering.claim(other)
    await remembering.record(other, { ...begun, sending: true })
    await remembering.claim({ ...one, key: 'given up' })
    await remembering.release({ ...one, key: 'given up' }, nothing)

    await server.kill()
    await server.start()
    await restored.promise
    const store = redisIdempotency(redis)
    t.match(await store.claim(two), { kind: 'done', ids })
    t.match(await store.claim({ ...other, holder: 'two' }), { kind: 'held', ids: begun })
    t.match(await store.claim({ ...two, key: 'given up' }), { kind: 'mine' })
  })

  await t.test('gives back no id that is none', async t => {
    const server = await redisServer(t)
    const redis = await server.connect()
    const store = redisIdempotency(redis)
    await store.claim(one)
    await store.record(one, { ...ids, sending: true })
    const [key = ''] = await redis.keys('copilot:submit:*')
    await redis.hset(key, 'evaluation', '../../me/messages?x=')
    await t.rejects(store.claim(two))
  })
})

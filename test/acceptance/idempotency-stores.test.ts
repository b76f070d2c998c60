import t, { type Test } from 'tap'
import { memoryIdempotency } from '../../src/idempotency/memory.ts'
import { redisIdempotency } from '../../src/idempotency/redis.ts'
import type { IdempotencyStore } from '../../src/idempotency/store.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'

const one = { key: 'k', bodyHash: 'b', holder: 'one' }
const two = { ...one, holder: 'two' }

/** A store, and how its time passes. */
type Make = (t: Test) => Promise<{ store: IdempotencyStore; pass: (ms: number) => Promise<void> }>

const inMemory: Make = async () => {
  const clock = leapingClock()
  return { store: memoryIdempotency(clock), pass: async ms => clock.advance(ms) }
}

/** Redis's own clock cannot be set, so what the store wrote down is moved into the past. */
const onRedis: Make = async t => {
  const redis = await (await redisServer(t)).connect()
  const pass = async (ms: number) => {
    for (const key of await redis.keys('*')) {
      const left = await redis.pttl(key)
      if (left <= ms) await redis.del(key)
      else await redis.pexpire(key, left - ms)
      const heldUntil = Number(await redis.hget(key, 'heldUntil'))
      if (heldUntil > 0) await redis.hset(key, 'heldUntil', String(heldUntil - ms))
    }
  }
  return { store: redisIdempotency(redis), pass }
}

for (const [name, make] of Object.entries({ 'in memory': inMemory, 'on Redis': onRedis })) {
  t.test(`the store ${name}`, async t => {
    await t.test('gives a key to one claimant, and to nobody else while it holds', async t => {
      const { store } = await make(t)
      t.match(await store.claim(one), { kind: 'mine', ids: {} })
      t.same(await store.claim(two), { kind: 'held' })
      t.match(await store.claim(one), { kind: 'mine' })
      t.match(await store.claim({ ...two, key: 'another' }), { kind: 'mine' })
    })

    await t.test('refuses a key with another body', async t => {
      const { store } = await make(t)
      await store.claim(one)
      t.same(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'reused' })
    })

    await t.test('tells who is done, with all ids', async t => {
      const { store } = await make(t)
      await store.claim(one)
      t.equal(await store.record(one, { sessionId: 's' }), true)
      t.equal(await store.record(one, { promptId: 'p' }), true)
      t.equal(await store.record(one, { evaluationId: 'e' }), true)
      t.same(await store.claim(two), {
        kind: 'done',
        ids: { sessionId: 's', promptId: 'p', evaluationId: 'e' },
      })
      t.same(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'reused' })
    })

    await t.test('hands a released key on with what was recorded', async t => {
      const { store } = await make(t)
      await store.claim(one)
      await store.record(one, { sessionId: 's', promptId: 'p' })
      await store.release(one)
      t.match(await store.claim(two), { kind: 'mine', ids: { sessionId: 's', promptId: 'p' } })
    })

    await t.test('frees a released key for any body when nothing was recorded', async t => {
      const { store } = await make(t)
      await store.claim(one)
      await store.release(one)
      t.match(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'mine', ids: {} })
    })

    await t.test('gives a key free 30 s after its holder was last heard of', async t => {
      const { store, pass } = await make(t)
      await store.claim(one)
      await pass(20_000)
      t.equal(await store.record(one, { sessionId: 's' }), true)
      await pass(29_000)
      t.same(await store.claim(two), { kind: 'held' })
      await pass(1000)
      t.match(await store.claim(two), { kind: 'mine', ids: { sessionId: 's' } })
    })

    await t.test('takes nothing from whom the key was taken', async t => {
      const { store, pass } = await make(t)
      await store.claim(one)
      await pass(30_001)
      await store.claim(two)
      t.equal(await store.record(one, { evaluationId: 'e' }), false)
      await store.release(one)
      t.same(await store.claim({ ...one, holder: 'three' }), { kind: 'held' })
      t.equal(await store.record({ ...one, key: 'unknown' }, {}), false)
      await store.release({ ...one, key: 'unknown' })
    })

    await t.test('forgets a key after 24 h', async t => {
      const { store, pass } = await make(t)
      await store.claim(one)
      await store.record(one, { sessionId: 's', promptId: 'p', evaluationId: 'e' })
      await pass(24 * 3_600_000 - 60_000)
      t.match(await store.claim(two), { kind: 'done' })
      await pass(60_001)
      t.match(await store.claim({ ...two, bodyHash: 'other' }), { kind: 'mine', ids: {} })
    })
  })
}

import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { connectRedis, type RedisClient, type RedisSettings } from '../../src/redis.ts'
import { redisServer } from '../helpers/redis-server.ts'

/** A client as the service makes it, with every reason it told; closed when the test ends. */
async function connected(t: Test, settings: RedisSettings) {
  const reasons: string[] = []
  const redis = (await connectRedis(settings, reason => reasons.push(reason))) as RedisClient
  t.teardown(() => redis.disconnect())
  return { redis, reasons }
}

/** Milliseconds until a write is taken; a write is tried ten times a second, for 15 s at most. */
async function untilWritten(redis: RedisClient): Promise<number> {
  const began = performance.now()
  for (;;) {
    const took = await redis.set('written', '1').then(
      () => true,
      () => false,
    )
    const ms = performance.now() - began
    if (took || ms > 15_000) return ms
    await wait(100)
  }
}

t.test('a client of Redis is back by itself within 10 s', async t => {
  await t.test('of a restart', async t => {
    const server = await redisServer(t)
    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    await server.kill()
    await t.rejects(redis.set('a', '1'))
    await wait(500)
    await server.start()
    t.ok((await untilWritten(redis)) < 10_000)
    t.match(reasons.at(-1), /ECONNREFUSED/)
  })

  await t.test('when the server became a read-only replica, at another address', async t => {
    const [one, two] = [await redisServer(t), await redisServer(t)]
    const { redis, reasons } = await connected(t, { REDIS_URL: `${one.url},${two.url}` })
    t.equal(await redis.set('a', '1'), 'OK')
    const old = await one.connect()
    await old.replicaof('127.0.0.1', two.port)
    t.ok((await untilWritten(redis)) < 10_000)
    t.match(reasons, [/^READONLY /])
    t.equal((redis as Redis).options.port, two.port)
  })

  await t.test(
    'when it was read-only for a while, at the same address, also in a script',
    async t => {
      const [one, two] = [await redisServer(t), await redisServer(t)]
      const { redis, reasons } = await connected(t, { REDIS_URL: one.url })
      const other = await one.connect()
      await other.replicaof('127.0.0.1', two.port)
      const script = "return redis.call('SET', KEYS[1], '1')"
      for (let call = 0; call < 5; call += 1) {
        await redis.eval(script, 1, 'a').catch(() => undefined)
        await wait(300)
      }
      await other.replicaof('NO', 'ONE')
      t.ok((await untilWritten(redis)) < 10_000)
      t.equal(reasons.length, 1, 'told once')
      t.match(reasons, [/^READONLY /])
    },
  )

  await t.test('of a connection that went deaf', async t => {
    const [deaf, well] = [await redisServer(t), await redisServer(t)]
    const { redis, reasons } = await connected(t, { REDIS_URL: `${deaf.url},${well.url}` })
    deaf.freeze()
    t.ok((await untilWritten(redis)) < 10_000)
    t.match(reasons, [/Socket timeout/])
    deaf.thaw()
  })

  await t.test('of a server that stood still', async t => {
    const server = await redisServer(t)
    const { redis } = await connected(t, { REDIS_URL: server.url })
    server.freeze()
    await t.rejects(redis.set('a', '1'))
    await wait(3000)
    server.thaw()
    t.ok((await untilWritten(redis)) < 10_000)
  })

  await t.test('of a changed password, when it is in a file', async t => {
    const file = `${t.testdir()}/redis-url`
    const server = await redisServer(t, { args: ['--requirepass', 'first/pass'] })
    const urlWith = (password: string) =>
      server.url.replace('//', `//:${encodeURIComponent(password)}@`)
    writeFileSync(file, `${urlWith('first/pass')}\n`)
    const { redis, reasons } = await connected(t, { REDIS_URL_FILE: file })
    t.equal(await redis.set('a', '1'), 'OK')

    await redis.config('SET', 'requirepass', 'second#pass')
    const admin = (await connected(t, { REDIS_URL: urlWith('second#pass') })).redis
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await wait(1000)
    t.match(reasons.at(-1), /^WRONGPASS /)
    writeFileSync(file, 'half of a line')
    await wait(1200)
    t.match(reasons.at(-1), /^REDIS_URL_FILE: must be a redis or rediss URL/)
    writeFileSync(file, urlWith('second#pass'))
    t.ok((await untilWritten(redis)) < 10_000)
    t.notOk(/first|second/.test(reasons.join()), 'and no password is told')
  })
})

t.test('why Redis is away is told once, in its own words and without a secret', async t => {
  const server = await redisServer(t, { args: ['--requirepass', 'right'] })
  const { port } = server
  const cases: [string, string, RegExp][] = [
    ['a wrong password', `redis://:guess@127.0.0.1:${port}`, /^WRONGPASS /],
    ['a wrong user', `redis://nobody:right@127.0.0.1:${port}`, /^WRONGPASS /],
    ['no password', `redis://127.0.0.1:${port}`, /^NOAUTH /],
    ['a wrong name', 'redis://nowhere.invalid', /ENOTFOUND|EAI_AGAIN/],
    ['a wrong port', 'redis://127.0.0.1:1', /ECONNREFUSED 127\.0\.0\.1:1/],
    ['TLS to a server without', `rediss://:right@localhost:${port}`, /ETIMEDOUT/],
    ['a database that is not there', `redis://:right@127.0.0.1:${port}/99`, /out of range/],
  ]
  const told = await Promise.all(
    cases.map(async ([, url]) => (await connected(t, { REDIS_URL: url })).reasons),
  )
  // Each has been tried several times by then.
  await wait(3500)
  for (const [index, [what, , expected]] of cases.entries()) {
    const reasons = told[index] ?? []
    t.equal(reasons.length, 1, `${what}: ${reasons.join(' | ')}`)
    t.match(reasons[0], expected, what)
    t.notMatch(reasons.join(), /guess|right/, what)
  }

  await t.test('also of a command that is refused on a connection that is well', async t => {
    const { redis, reasons } = await connected(t, { REDIS_URL: `redis://:right@127.0.0.1:${port}` })
    await redis.config('SET', 'maxmemory', '1')
    for (let call = 0; call < 3; call += 1) await t.rejects(redis.set('a', '1'))
    t.match(reasons, [/^OOM /])
  })
})

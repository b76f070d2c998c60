import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { redisLimiter } from '../../src/limits/redis.ts'
import { connectRedis, type RedisClient, type RedisSettings } from '../../src/redis.ts'
import { freePort } from '../helpers/free-port.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { world } from '../helpers/world.ts'

async function connected(t: Test, settings: RedisSettings) {
  const reasons: string[] = []
  const redis = (await connectRedis(settings, reason => reasons.push(reason))) as RedisClient
  t.teardown(() => redis.disconnect())
  return { redis, reasons }
}

/** Resolves when it holds, at last after 20 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await holds().catch(() => false)) return
    await wait(100)
  }
  throw new Error('It does not hold after 20 s')
}

/** A port whose bus port, 10,000 above, exists too. */
async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 55_000) return port
  }
}

t.test('three masters in cluster mode', async t => {
  const folder = t.testdir()
  const nodes = await Promise.all(
    [1, 2, 3].map(async number => {
      const port = await clusterPort()
      const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--dir', folder]
      args.push('--cluster-config-file', `nodes-${number}.conf`, '--requirepass', 'se/cret')
      return redisServer(t, { port, args })
    }),
  )
  execFileSync(
    'redis-cli',
    ['--no-auth-warning', '-a', 'se/cret', '--cluster', 'create']
      .concat(nodes.map(({ port }) => `127.0.0.1:${port}`))
      .concat('--cluster-yes'),
  )
  const url = nodes.map(node => node.url.replace('//', '//:se%2Fcret@')).join(',')
  const settings = { REDIS_URL: url, REDIS_MODE: 'cluster' } as const
  const early = await connected(t, settings)
  // A cluster that was just made may say for a moment that it is down.
  await until(async () => (await early.redis.set('a', '1')) === 'OK')
  const own = await connected(t, settings)

  await t.test('serve every key, and each limits for all replicas', async t => {
    const limiters = await Promise.all(
      [1, 2].map(async () =>
        redisLimiter((await connected(t, settings)).redis, { calls: 5, windowMs: 60_000 }),
      ),
    )
    for (let key = 0; key < 12; key += 1) {
      let admitted = 0
      for (let call = 0; call < 4; call += 1) {
        for (const limiter of limiters) {
          if ((await limiter.take(`connection ${key}`)).admitted) admitted += 1
        }
      }
      t.equal(admitted, 5)
    }
    t.same(own.reasons, [])
    t.equal((own.redis as Cluster).nodes('master').length, 3)
  })

  await t.test('record every Idempotency-Key, on any replica', async t => {
    const env = { REDIS_URL: url, REDIS_MODE: 'cluster' }
    const graph = await world(t, { env })
    const other = await world(t, { env, graphUrl: graph.graphUrl })
    for (let key = 0; key < 12; key += 1) {
      const headers = {
        'x-test-caller': `caller-${key}`,
        'idempotency-key': `key-${key}`,
        prefer: 'respond-async',
      }
      const first = await graph.post('/process-prompt', { PromptContent: 'Hello' }, headers)
      const again = await other.post('/process-prompt', { PromptContent: 'Hello' }, headers)
      t.equal(first.status, 202)
      t.equal(again.body.evaluationId, first.body.evaluationId)
    }
  })

  await t.test('serve again within 10 s of a restart of one', async t => {
    const [first] = nodes
    await first?.kill()
    for (let key = 0; key < 20; key += 1) own.redis.set(`key ${key}`, '1').catch(() => undefined)
    await wait(1500)
    // To whoever comes now, the nodes that are left say that the cluster is down.
    const late = await connected(t, settings)
    await until(async () => /ECONNREFUSED|down/.test(late.reasons.join()))
    await first?.start()
    const began = performance.now()
    await until(async () => {
      for (let key = 0; key < 20; key += 1) await own.redis.set(`key ${key}`, '1')
      return true
    })
    t.ok(performance.now() - began < 10_000)
    t.match(own.reasons.join(), /ECONNREFUSED|CLUSTERDOWN/)
  })
})

t.test('a master that sentinels know', async t => {
  const password = 'se/cret'
  const args = ['--requirepass', password, '--masterauth', password]
  const one = await redisServer(t, { args })
  const two = await redisServer(t, {
    args: [...args, '--replicaof', '127.0.0.1', String(one.port)],
  })
  const folder = t.testdir()
  const sentinels = await Promise.all(
    [1, 2, 3].map(async number => {
      const port = await freePort()
      const file = `${folder}/sentinel-${number}.conf`
      writeFileSync(
        file,
        `port ${port}
bind 127.0.0.1
sentinel monitor main 127.0.0.1 ${one.port} 2
sentinel auth-pass main ${password}
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 4000
${number === 1 ? 'requirepass se/cret' : ''}
`,
      )
      return redisServer(t, { port, program: ['redis-sentinel', file] })
    }),
  )
  // Sentinels find each other by way of the master.
  await wait(2500)
  const urls = sentinels.map(({ url }) => url.replace('//', '//:se%2Fcret@')).join(',')
  const { redis, reasons } = await connected(t, {
    REDIS_URL: urls,
    REDIS_MODE: 'sentinel',
    REDIS_SENTINEL_NAME: 'main',
  })

  await t.test(
    'is found, by a sentinel that wants the password and by those that do not',
    async t => {
      t.equal(await redis.set('a', '1'), 'OK')
      t.same(reasons, [])
      const first = sentinels[0]?.url.replace('//', '//:se%2Fcret@')
      const another = await connected(t, {
        REDIS_URL: first,
        REDIS_MODE: 'sentinel',
        REDIS_SENTINEL_NAME: 'main',
      })
      t.equal(await another.redis.set('a', '1'), 'OK')
    },
  )

  await t.test('is the other one after a fail-over', async t => {
    await wait(1000)
    await one.kill()
    await until(async () => (await redis.set('a', '2')) === 'OK')
    const info = await (redis as Redis).info('server')
    t.match(info, `tcp_port:${two.port}`)
  })

  await t.test('is told missing by its name when nobody knows it', async t => {
    const lost = await connected(t, { REDIS_URL: urls, REDIS_MODE: 'sentinel' })
    t.match(lost.reasons.join(), /sentinel/)
  })
})

import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { world } from '../helpers/world.ts'

/** A service on this Redis, and what its metrics say. */
async function served(t: Test, url: string) {
  const { observer, registry } = createMetrics()
  const w = await world(t, { observer, env: { REDIS_URL: url } })
  async function metric(name: string): Promise<number | undefined> {
    const [value] = (await registry.getSingleMetric(`copilot_store_${name}`)?.get())?.values ?? []
    return value?.value
  }
  return { w, metric }
}

/** Resolves when it holds, at last after 12 s. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 120; turn += 1) {
    if (await holds()) return
    await wait(100)
  }
  throw new Error('It does not hold after 12 s')
}

t.test('a service whose store is away', async t => {
  await t.test('is not ready before the store took a write, and then whatever happens', async t => {
    const server = await redisServer(t)
    await server.kill()
    const { w, metric } = await served(t, server.url)
    t.match(await w.get('/readyz'), {
      status: 503,
      body: {
        error: {
          code: 'StoreUnavailable',
          message: 'Cannot take calls: the store has not taken a write yet',
        },
      },
    })
    t.equal(await metric('available'), 0)
    await server.start()
    await until(async () => (await w.get('/readyz')).status === 200)
    await until(async () => (await metric('available')) === 1)

    await server.kill()
    await until(async () => (await metric('available')) === 0)
    t.equal((await w.get('/readyz')).status, 200, 'degraded, not unready')
    const lines = w.log.filter(line => line.includes('redis: '))
    t.match(lines.join(), /ECONNREFUSED 127\.0\.0\.1/)
    t.ok(lines.length <= 2, lines.join())
    t.equal((await w.get('/sessions/x/prompts/x/promptbook')).status, 400, 'it serves')
  })

  await t.test('is not ready on a store that takes no writes', async t => {
    const [replica, master] = [await redisServer(t), await redisServer(t)]
    await (await replica.connect()).replicaof('127.0.0.1', master.port)
    const { w, metric } = await served(t, replica.url)
    t.equal((await w.get('/readyz')).status, 503)
    t.equal(await metric('available'), 0)
    t.match(w.log.filter(line => line.includes('redis: ')).join(), /READONLY/)
  })

  await t.test('finds out, and that it is back, when nobody calls', async t => {
    const server = await redisServer(t)
    const { w, metric } = await served(t, server.url)
    server.freeze()
    await until(async () => (await metric('available')) === 0)
    t.ok(w.log.some(line => line.includes('the store is away')))
    server.thaw()
    await until(async () => (await metric('available')) === 1)
    t.ok(w.log.some(line => line.includes('the store is back')))
  })
})

t.test('a store that evicts keys', async t => {
  const warnings = (log: readonly string[]) => log.filter(line => line.includes('evicts keys'))

  await t.test('is warned of at the start, and is a metric', async t => {
    for (const policy of ['allkeys-lru', 'volatile-ttl']) {
      const server = await redisServer(t, { args: ['--maxmemory-policy', policy] })
      const { w, metric } = await served(t, server.url)
      await until(async () => warnings(w.log).length > 0)
      t.match(JSON.parse(warnings(w.log)[0] ?? ''), { level: 40, maxmemoryPolicy: policy })
      t.equal(await metric('evicts_keys'), 1)
    }
  })

  await t.test('also where CONFIG is forbidden, and no longer once it is mended', async t => {
    const server = await redisServer(t, { args: ['--maxmemory-policy', 'allkeys-random'] })
    const admin = await server.connect()
    await admin.acl('SETUSER', 'service', 'on', '>secret', '~*', '+@all', '-config')
    const { w, metric } = await served(t, server.url.replace('//', '//service:secret@'))
    await until(async () => (await metric('evicts_keys')) === 1)
    await admin.config('SET', 'maxmemory-policy', 'noeviction')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(async () => (await metric('evicts_keys')) === 0)
    t.equal(warnings(w.log).length, 1)
  })

  await t.test('is none that keeps them, nor one that does not say', async t => {
    const server = await redisServer(t)
    const admin = await server.connect()
    await admin.acl('SETUSER', 'service', 'on', '>secret', '~*', '+@all', '-info')
    for (const url of [server.url, server.url.replace('//', '//service:secret@')]) {
      const { w, metric } = await served(t, url)
      await until(async () => (await w.get('/readyz')).status === 200)
      t.same(warnings(w.log), [])
      t.equal(await metric('evicts_keys'), 0)
    }
  })
})

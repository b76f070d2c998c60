import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { systemClock } from '../../src/clock.ts'
import type { Limiter } from '../../src/limits/limiter.ts'
import { memoryLimiter } from '../../src/limits/memory.ts'
import { redisLimiter } from '../../src/limits/redis.ts'
import { connectStore } from '../../src/store.ts'
import { startProgram } from '../lib/process.ts'
import type { Section } from '../lib/report.ts'

const quota = { calls: 600, windowMs: 60_000 }
const calls = 200_000

/** CPU µs of this process for one call, over so many connections in turn. */
async function takeMicros(
  take: (key: string) => Promise<unknown>,
  connections: number,
  times = calls,
  atOnce = 1,
): Promise<number> {
  const before = process.cpuUsage()
  for (let call = 0; call < times; call += atOnce) {
    const asked = Array.from({ length: atOnce }, (_, index) => take(`connection ${(call + index) % connections}`))
    await Promise.all(asked)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

/**
 * The same sequence for each limiter, with a window of one second: as many calls as are allowed just before a fixed window would end,
 * and as many just after. Returns how many were let through within the second around the edge.
 */
async function acrossAnEdge(admit: (key: string) => Promise<boolean>): Promise<number> {
  await admit('edge')
  const began = Date.now()
  while (Date.now() - began < 900) await new Promise(resolve => setImmediate(resolve))
  let admitted = 0
  const burst = async () => {
    for (let call = 0; call < 700; call += 1) if (await admit('edge')) admitted += 1
  }
  await burst()
  while (Date.now() - began < 1010) await new Promise(resolve => setImmediate(resolve))
  await burst()
  return admitted
}

/** The limiter by itself, beside the libraries that limit by fixed windows. */
export async function limitersSection(): Promise<Section> {
  const ownTake = (limiter: Limiter) => (key: string) => limiter.take(key)
  const peer = () => new RateLimiterMemory({ points: quota.calls, duration: quota.windowMs / 1000 })
  const rows: (string | number)[][] = []
  for (const connections of [1, 1000, 100_000]) {
    const own = ownTake(memoryLimiter(quota, systemClock))
    await takeMicros(own, connections)
    const flexible = peer()
    const consume = (key: string) => flexible.consume(key).catch(() => undefined)
    await takeMicros(consume, connections)
    rows.push([
      'in memory',
      connections,
      (await takeMicros(own, connections)).toFixed(2),
      (await takeMicros(consume, connections)).toFixed(2),
    ])
  }

  const port = 6391
  const server = startProgram('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], '')
  const store = await connectStore(`redis://127.0.0.1:${port}`)
  if (!store) throw new Error('There is no store')
  const shared = ownTake(redisLimiter(store, quota))
  await takeMicros(shared, 1000, 20_000, 50)
  rows.push(['Redis, 50 at once', 1000, (await takeMicros(shared, 1000, 50_000, 50)).toFixed(2), '–'])
  const writes: string[] = []
  const { stream } = store as unknown as { stream: { write(data: unknown): boolean } }
  const write = stream.write.bind(stream)
  stream.write = data => {
    writes.push(String(data))
    return write(data)
  }
  await shared('connection 1')
  const roundTrips = writes.length
  store.disconnect()
  await server.stop()

  const second = { calls: 600, windowMs: 1000 }
  const own = memoryLimiter(second, systemClock)
  const flexible = new RateLimiterMemory({ points: 600, duration: 1 })
  const app = Fastify()
  await app.register(rateLimit, { max: 600, timeWindow: 1000, cache: 100_000 })
  app.get('/', async () => '')
  const admitted = {
    ours: await acrossAnEdge(async key => (await own.take(key)).admitted),
    'rate-limiter-flexible': await acrossAnEdge(key =>
      flexible.consume(key).then(
        () => true,
        () => false,
      ),
    ),
    '@fastify/rate-limit': await acrossAnEdge(async () => (await app.inject('/')).statusCode === 200),
  }
  await app.close()

  return {
    tables: [
      {
        title: 'Limiters',
        how: `CPU of one call, in a loop of ${calls}. Redis: ${roundTrips} round trip a call.`,
        columns: ['Where', 'Connections', 'ours, µs', 'rate-limiter-flexible, µs'],
        rows,
      },
      {
        title: 'Across the edge of a window',
        how: 'The same sequence for each: 600 calls allowed a second (so that it takes no minute), 700 asked for shortly before a fixed window ends and 700 right after. Admitted within 0.2 s or so:',
        columns: Object.keys(admitted),
        rows: [Object.values(admitted)],
      },
    ],
    aims: [
      { name: 'Limiter, any window', aim: 'at most 600', measured: String(admitted.ours), met: admitted.ours <= 600 },
    ],
  }
}

import { spawn } from 'node:child_process'
import type { Redis } from 'ioredis'
import { systemClock as clock } from '../src/clock.ts'
import type { Limiter } from '../src/limits/limiter.ts'
import { memoryLimiter } from '../src/limits/memory.ts'
import { redisLimiter } from '../src/limits/redis.ts'
import { connectStore } from '../src/store.ts'

const quota = { calls: 600, windowMs: 60_000 }

/** CPU µs of this process for one call, over so many connections in turn. */
async function takeMicros(limiter: Limiter, connections: number, calls: number, atOnce = 1): Promise<number> {
  const before = process.cpuUsage()
  for (let call = 0; call < calls; call += atOnce) {
    const asked = Array.from({ length: atOnce }, (_, index) =>
      limiter.take(`connection ${(call + index) % connections}`),
    )
    await Promise.all(asked)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

/** The limiter by itself: CPU per call at several numbers of connections, memory of idle ones, and on a Redis of its own. */
export async function benchLimiters(): Promise<void> {
  console.log('\n| Limiter | Connections | CPU µs a call |\n| --- | --- | --- |')
  for (const connections of [1, 1000, 100_000]) {
    const limiter = memoryLimiter(quota, clock)
    await takeMicros(limiter, connections, 200_000)
    const micros = await takeMicros(limiter, connections, 400_000)
    console.log(`| memory | ${connections} | ${micros.toFixed(2)} |`)
  }

  const port = 6390
  const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], {
    stdio: 'ignore',
  })
  const store = (await connectStore(`redis://127.0.0.1:${port}`)) as Redis
  const shared = redisLimiter(store, quota)
  await takeMicros(shared, 1000, 20_000, 50)
  console.log(`| Redis, 50 at once | 1000 | ${(await takeMicros(shared, 1000, 50_000, 50)).toFixed(2)} |`)
  store.disconnect()
  server.kill()

  globalThis.gc?.()
  const empty = process.memoryUsage().heapUsed
  const idle = memoryLimiter(quota, clock)
  for (let index = 0; index < 100_000; index += 1) await idle.take(`${index}`.padStart(43, 'k'))
  globalThis.gc?.()
  const megabytes = (process.memoryUsage().heapUsed - empty) / 1e6
  console.log(`\n${idle.size} connections with one call each: ${megabytes.toFixed(1)} MB`)
}

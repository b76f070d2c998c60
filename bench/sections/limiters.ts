import type { Redis } from 'ioredis'
import { connectRedis } from '../../src/redis.ts'
import { limiters, type Admit } from '../lib/limiters.ts'
import { startProgram } from '../lib/process.ts'
import type { Section, Table } from '../lib/report.ts'
import { median } from '../lib/statistics.ts'

const quota = { calls: 600, windowMs: 60_000 }
const rounds = 5
const names = Object.keys(limiters)
const each = Object.values(limiters)

/** CPU µs of this process for one call, over so many connections in turn. */
async function callMicros(
  admit: Admit,
  connections: number,
  calls: number,
  atOnce: number,
): Promise<number> {
  const before = process.cpuUsage()
  for (let call = 0; call < calls; call += atOnce) {
    await Promise.all(
      Array.from({ length: atOnce }, (_, at) => admit(`connection ${(call + at) % connections}`)),
    )
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

/** Medians of rounds in turn, after one that is thrown away. */
async function inTurn(
  admits: readonly Admit[],
  connections: number,
  calls: number,
  atOnce = 1,
): Promise<string[]> {
  const results: number[][] = admits.map(() => [])
  for (let round = -1; round < rounds; round += 1) {
    for (const [at, admit] of admits.entries()) {
      const micros = await callMicros(admit, connections, calls, atOnce)
      if (round >= 0) results[at]?.push(micros)
    }
  }
  return results.map(values => median(values).toFixed(2))
}

/** Commands sent for one call. */
async function roundTrips(
  admit: Admit,
  { stream }: { readonly stream: NodeJS.WritableStream },
): Promise<number> {
  await admit('connection 1')
  let writes = 0
  const write = stream.write.bind(stream) as (...data: unknown[]) => boolean
  stream.write = (...data: unknown[]) => {
    writes += 1
    return write(...data)
  }
  await admit('connection 1')
  stream.write = write
  return writes
}

async function costs(redis: Redis): Promise<Table> {
  const calls = 200_000
  const rows: (string | number)[][] = []
  for (const connections of [1, 1000, 100_000]) {
    const admits = await Promise.all(each.map(({ inMemory }) => inMemory(quota)))
    rows.push(['in memory, µs', connections, ...(await inTurn(admits, connections, calls))])
  }
  const admits = await Promise.all(each.map(({ inRedis }) => inRedis(quota, redis)))
  rows.push(['Redis, 50 at once, µs', 1000, ...(await inTurn(admits, 1000, 30_000, 50))])
  const trips: number[] = []
  for (const admit of admits) trips.push(await roundTrips(admit, redis))
  rows.push(['Redis, round trips', 1000, ...trips])
  return {
    title: 'Limiters',
    how: `CPU of one call in the calling process, medians of ${rounds} rounds in turn, ${calls} calls each in memory.`,
    columns: ['Where', 'Connections', ...names],
    rows,
  }
}

/**
 * The same sequence for each limiter, with a window of one second: as many calls as are allowed
 * just before a fixed window would end, and as many just after. Returns how many were let through
 * around the edge.
 */
async function acrossAnEdge(admit: Admit): Promise<number> {
  await admit('edge')
  const began = Date.now()
  let admitted = 0
  for (const beginsMs of [900, 1010]) {
    while (Date.now() - began < beginsMs) await new Promise(resolve => setImmediate(resolve))
    for (let call = 0; call < 700; call += 1) if (await admit('edge')) admitted += 1
  }
  return admitted
}

async function edges(redis: Redis): Promise<{ table: Table; most: number }> {
  const second = { calls: 600, windowMs: 1000 }
  const rows: (string | number)[][] = []
  for (const [where, kind] of [
    ['in memory', 'inMemory'],
    ['Redis', 'inRedis'],
  ] as const) {
    const admitted: number[] = []
    for (const limiter of each)
      admitted.push(await acrossAnEdge(await limiter[kind](second, redis)))
    rows.push([where, ...admitted])
  }
  const table = {
    title: 'Across the edge of a window',
    how: 'The same sequence for each: 600 calls allowed a second (so that it takes no minute), 700 asked for shortly before a fixed window ends and 700 right after. Admitted within 0.2 s or so:',
    columns: ['Where', ...names],
    rows,
  }
  return { table, most: Math.max(...rows.map(([, ours]) => Number(ours))) }
}

/** The limiter by itself, beside the libraries that limit by fixed windows. */
export async function limitersSection(): Promise<Section> {
  const port = 6391
  const server = startProgram(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
    '',
  )
  const redis = (await connectRedis({ REDIS_URL: `redis://127.0.0.1:${port}` })) as Redis
  const cost = await costs(redis)
  const { table, most } = await edges(redis)
  redis.disconnect()
  await server.stop()
  return {
    tables: [cost, table],
    aims: [
      { name: 'Limiter, any window', aim: 'at most 600', measured: String(most), met: most <= 600 },
    ],
  }
}

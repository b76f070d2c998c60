import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Pool } from 'undici'
import { benchLimiters } from './limiters.ts'

// `npm run bench`: CPU per request of the service, side by side in one run. Upstream, service and load are processes of their
// own; only the service's CPU time counts. Rounds are interleaved; medians are shown with their spread.
const warmUpRequests = 3000
const roundRequests = 4000
const rounds = 7
const parallel = 10

const answer = async <T>(child: ChildProcess, question?: string): Promise<T> => {
  if (question !== undefined) child.send(question)
  const [message] = (await once(child, 'message')) as [T]
  return message
}

interface Target {
  readonly pool: Pool
  readonly path: string
  readonly headers: Record<string, string>
  /** @default 200 */
  readonly status?: number
}

/** Sends so many requests, a few at a time, and stops at the first answer that is not the expected one. */
async function load({ pool, path, headers, status = 200 }: Target, requests: number): Promise<void> {
  let left = requests
  const worker = async () => {
    while (left > 0) {
      left -= 1
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
      await body.dump()
      if (statusCode !== status) throw new Error(`${path} answered ${statusCode}`)
    }
  }
  await Promise.all(Array.from({ length: parallel }, worker))
}

/** CPU µs that the service spends on each of so many requests. */
async function cpuMicros(service: ChildProcess, target: Target): Promise<number> {
  type Usage = { cpu: NodeJS.CpuUsage }
  const { cpu: before } = await answer<Usage>(service, 'cpu')
  await load(target, roundRequests)
  const { cpu: after } = await answer<Usage>(service, 'cpu')
  return (after.user - before.user + after.system - before.system) / roundRequests
}

/** Submits a prompt to this service and returns where to fetch its status. */
async function prepare(url: string, headers: Record<string, string>): Promise<Target> {
  const pool = new Pool(url, { connections: parallel })
  const { body } = await pool.request({
    method: 'POST',
    path: '/process-prompt',
    headers: { ...headers, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ PromptContent: 'Which users signed in from two countries today?' }),
  })
  const { sessionId, promptId, evaluationId } = (await body.json()) as Record<string, string>
  return { pool, path: `/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`, headers }
}

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)
const median = (values: readonly number[]): number => sorted(values)[Math.floor(values.length / 2)] ?? Number.NaN
const row = (name: string, values: readonly number[], share: string): string => {
  const [lowest = 0, highest = 0] = [sorted(values).at(0), sorted(values).at(-1)]
  return `| ${name} | ${median(values).toFixed(1)} | ${lowest.toFixed(1)} to ${highest.toFixed(1)} | ${share} |`
}

const upstream = fork('bench/upstream.ts')
const { url: graphUrl } = await answer<{ url: string }>(upstream)
const service = fork('bench/service.ts', [graphUrl])
const urls = await answer<{ authenticated: string; open: string; spent: string; authorization: string }>(service)
const authenticated = await prepare(urls.authenticated, { authorization: urls.authorization })
const open = await prepare(urls.open, {})
// Its one call a day is spent by preparing.
const spent = { ...(await prepare(urls.spent, { authorization: urls.authorization })), status: 429 }

await load(authenticated, warmUpRequests)
await load(open, warmUpRequests)
await load(spent, warmUpRequests)
await answer(service, 'authenticate')
const results: Record<'authenticated' | 'open' | 'alone' | 'spent', number[]> = {
  authenticated: [],
  open: [],
  alone: [],
  spent: [],
}
for (let round = 0; round < rounds; round += 1) {
  results.authenticated.push(await cpuMicros(service, authenticated))
  results.open.push(await cpuMicros(service, open))
  results.spent.push(await cpuMicros(service, spent))
  results.alone.push((await answer<{ micros: number }>(service, 'authenticate')).micros)
}
const fetchMicros = median(results.authenticated)
const share = (micros: number): string => `${((100 * micros) / fetchMicros).toFixed(1)} %`
console.log('| What | CPU µs, median | Spread | Share of a Fetch |\n| --- | --- | --- | --- |')
console.log(row('Fetch prompt status, bearer token, warm', results.authenticated, '100 %'))
console.log(row('the same without authentication', results.open, share(median(results.open))))
console.log(row('authentication alone, in a loop', results.alone, share(median(results.alone))))

console.log(row('429, the allowance is spent', results.spent, share(median(results.spent))))

await benchLimiters()

await Promise.all([authenticated.pool.close(), open.pool.close(), spent.pool.close()])
for (const child of [service, upstream]) child.kill()

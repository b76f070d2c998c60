import t from 'tap'
import { redisServer } from '../helpers/redis-server.ts'
import { world } from '../helpers/world.ts'

const canary = 'CANARY-of-a-prompt'

t.test('a run’s name, its prompts and answers reach no log line, and not the store', async t => {
  const server = await redisServer(t)
  const env = { REDIS_URL: server.url }
  const w = await world(t, { env })
  const body = { Prompts: [`${canary} 1 [sim:state=pending]`, `${canary} 2`] }
  const reply = await w.post('/run-promptbook', body, { prefer: 'respond-async' })
  t.equal(reply.status, 202)
  const { pathname } = new URL(reply.headers.get('location') ?? '')
  const runId = pathname.split('/')[2] ?? ''
  t.equal(runId.length, 64)

  // A second replica on the same store: what the URL gives opens what is to be asked.
  const second = await world(t, { env, graphUrl: w.graphUrl })
  t.equal((await second.get(pathname)).status, 202)
  t.equal((await w.get(pathname.replace('/result', '/operation'))).status, 200)
  t.equal((await w.get(pathname, { 'x-test-caller': 'bob' })).status, 404)
  await w.get(`${pathname}/nowhere`)
  await w.post(pathname, {})

  const redis = await server.connect()
  const kept: string[] = []
  for (const key of await redis.keys('*')) {
    kept.push(key)
    if ((await redis.type(key)) === 'hash') kept.push(JSON.stringify(await redis.hgetall(key)))
    if ((await redis.type(key)) === 'zset') kept.push(String(await redis.zrange(key, 0, '-1')))
  }
  t.match(kept.join(' '), /copilot:run:/)
  t.notMatch(kept.join(' '), canary)
  const secret = runId.slice(22)
  t.notOk(kept.join(' ').includes(secret))
  const lines = [...w.log, ...second.log].join('\n')
  t.match(lines, '/promptbook-runs/:runId/result')
  t.notOk(lines.includes(runId.slice(0, 22)))
  t.notOk(lines.includes(secret))
  t.notMatch(lines, canary)
})

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { asPrincipal, entraWorld } from '../helpers/entra-world.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { world, type Reply, type World } from '../helpers/world.ts'

const guid = '11111111-1111-4111-8111-111111111111'
const evaluation = `/sessions/${guid}/prompts/${guid}/evaluations/${guid}`

/** Sends so many cheap calls, a few at a time, and counts the answers by status. */
async function statuses(
  send: (call: number) => Promise<Reply>,
  calls: number,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  let next = 0
  const worker = async () => {
    while (next < calls) {
      next += 1
      const { status } = await send(next)
      counts[status] = (counts[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: 20 }, worker))
  return counts
}

/** A call that is wrong in itself: it counts, and asks nothing of Graph. */
const cheap = (w: World, headers: Record<string, string> = {}) =>
  w.get('/sessions/x/prompts/x/promptbook', headers)

t.test('a connection has 600 calls in any 60 seconds', async t => {
  await t.test('and the 601st is 429 RateLimitExceeded with the seconds to wait', async t => {
    const w = await world(t)
    t.same(await statuses(() => cheap(w), 600), { 400: 600 })
    w.clock.advance(12_000)

    const reply = await cheap(w)

    t.match(reply, {
      status: 429,
      body: {
        error: {
          code: 'RateLimitExceeded',
          message: 'Rate limit is exceeded. Try again in 48 seconds.',
        },
      },
    })
    t.equal(reply.headers.get('retry-after'), '48')
    t.equal(reply.headers.get('ratelimit-policy'), '"connection";q=600;w=60')
    t.equal(reply.headers.get('ratelimit'), '"connection";r=0;t=48')
    w.clock.advance(48_000)
    t.equal((await cheap(w)).status, 400)
  })

  await t.test('counted on every route that needs authentication, whatever the answer', async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '8', RATE_LIMIT_SECONDS: '10' } })
    const replies = [
      await w.start('Hello'),
      await w.post('/process-prompt', 'not JSON'),
      await w.post('/process-prompt', 'x', { 'content-type': 'text/plain' }),
      await w.get(evaluation),
      await w.get(`${evaluation}/result`),
      await w.get(`${evaluation}/operation`),
      await w.get(`/sessions/${guid}/prompts/${guid}/promptbook`),
      await cheap(w),
      await w.start('One too many'),
    ]
    t.same(
      replies.map(({ status, headers }) => [status, headers.get('ratelimit')]),
      [202, 400, 415, 404, 404, 404, 404, 400]
        .map((status, index) => [status, `"connection";r=${7 - index};t=10`])
        .concat([[429, '"connection";r=0;t=10']]),
    )
    for (const { headers } of replies)
      t.equal(headers.get('ratelimit-policy'), '"connection";q=8;w=10')
  })

  await t.test('of its own: another connection is not touched', async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '1' } })
    t.equal((await cheap(w)).status, 400)
    t.equal((await cheap(w)).status, 429)
    t.equal((await cheap(w, { 'x-test-caller': 'bob' })).status, 400)
  })

  await t.test(
    'which a request that fails authentication does not spend, nor one that needs none',
    async t => {
      const w = await entraWorld(t, { env: { RATE_LIMIT_CALLS: '2' } })
      const guess = await cheap(w, asPrincipal('guess'))
      t.equal(guess.status, 401)
      t.equal(guess.headers.get('ratelimit'), null)
      for (const path of ['/livez', '/readyz', '/nowhere']) {
        t.equal((await w.get(path, asPrincipal())).headers.get('ratelimit'), null)
      }
      t.equal((await w.get('/process-prompt', asPrincipal())).status, 405)
      t.equal((await cheap(w, asPrincipal())).headers.get('ratelimit'), '"connection";r=1;t=60')
    },
  )

  await t.test('whatever headers a caller invents', async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '1' } })
    await cheap(w)
    const invented = {
      'x-ms-apim-referrer-prefix': 'https://x.azure-apim.net/apim/a/another',
      'x-forwarded-for': '203.0.113.9',
      'client-request-id': 'another',
    }
    t.equal((await cheap(w, invented)).status, 429)
  })

  await t.test('and a refused call asks nothing of Graph', async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '1' } })
    await cheap(w)
    t.equal((await w.start('Hello')).status, 429)
    t.same(w.calls, [])
  })
})

t.test('replicas that share a Redis', async t => {
  await t.test('admit 600 of 2,000 calls together', async t => {
    const server = await redisServer(t)
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => world(t, { env: { REDIS_URL: server.url } })),
    )
    const counts = await statuses(call => cheap(replicas[call % 3] as World), 2000)
    t.same(counts, { 400: 600, 429: 1400 })
  })

  await t.test(
    'go on when it is killed: no 5xx, each with the limit by itself, one line in the log, and back',
    async t => {
      const server = await redisServer(t)
      const env = { RATE_LIMIT_CALLS: '50' }
      const replicas = await Promise.all(
        [1, 2].map(async () => world(t, { env: { ...env, REDIS_URL: server.url } })),
      )
      const [one, two] = replicas as [World, World]
      t.same(await statuses(call => cheap(replicas[call % 2] as World), 60), { 400: 50, 429: 10 })

      await server.kill()
      // Each remembers what it admitted, so together they admit the other half of two quotas.
      const counts = await statuses(call => cheap(replicas[call % 2] as World), 300)
      t.same(counts, { 400: 50, 429: 250 })
      for (const { log } of replicas) {
        t.equal(log.filter(line => line.includes('the store is away')).length, 1)
      }

      await server.start()
      // The connection is tried again by real time, at most a second later.
      for (const w of [one, two]) {
        while (!w.log.some(line => line.includes('the store is back'))) {
          w.clock.advance(1000)
          await wait(20)
          await cheap(w)
        }
        t.equal(w.log.filter(line => line.includes('the store is back')).length, 1)
      }
    },
  )

  await t.test('do not wait for one that hangs', async t => {
    const server = await redisServer(t)
    const w = await world(t, { env: { REDIS_URL: server.url } })
    await cheap(w)
    server.freeze()
    t.equal((await cheap(w)).status, 400)
    t.ok(w.log.some(line => line.includes('the store is away')))
    server.thaw()
  })

  await t.test('start without it', async t => {
    const server = await redisServer(t)
    await server.kill()
    const w = await world(t, { env: { REDIS_URL: server.url } })
    t.equal((await cheap(w)).status, 400)
  })
})

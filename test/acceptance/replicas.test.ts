import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { asPrincipal, principal } from '../helpers/entra-world.ts'
import { nginx } from '../helpers/nginx.ts'
import { replicas, type Replica } from '../helpers/replicas.ts'
import { request, type Reply } from '../helpers/world.ts'

const cheap = (url: string): Promise<Reply> =>
  request(`${url}/sessions/x/prompts/x/promptbook`, { headers: asPrincipal() })

t.test('three replicas behind nginx, asked in turn, admit exactly 600 of 2,000 calls', async t => {
  const { services } = await replicas(t)
  const balancer = await nginx(
    t,
    services.map(({ url }) => url),
  )
  const counts: Record<number, number> = {}
  let left = 2000
  const worker = async () => {
    while (left > 0) {
      left -= 1
      const { status } = await cheap(balancer)
      counts[status] = (counts[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: 20 }, worker))
  const { 400: admitted = 0, 429: refused = 0 } = counts
  t.equal(admitted + refused, 2000)
  // On a machine that is so slow that Redis does not answer within 80 ms, each counts by itself.
  const fellBack = services.some(({ running }) => running.output().includes('the store is away'))
  if (fellBack) t.ok(admitted >= 600 && admitted <= 1800, String(admitted))
  else t.equal(admitted, 600)
})

t.test('Redis killed and restarted under load: no 5xx, and back within 5 s', async t => {
  const { services, redis } = await replicas(t, { RATE_LIMIT_CALLS: '1000000' })
  const load = new AbortController()
  const statuses = new Set<number>()
  const workers = services.map(async ({ url }) => {
    while (!load.signal.aborted) statuses.add((await cheap(url)).status)
  })
  const hears = async (words: string) => {
    while (!services.every(({ running }) => running.output().includes(words))) await wait(2)
  }

  await redis.kill()
  await hears('the store is away')
  await redis.start()
  const store = await redis.connect()
  const began = performance.now()
  // A replica is back when it counts on Redis again.
  while ((await store.llen((await store.keys('copilot:calls:*'))[0] ?? 'none')) < 3) await wait(2)
  t.ok(performance.now() - began < 5000)
  load.abort()
  await Promise.all(workers)
  t.same(statuses, new Set([400]))
})

t.test(
  'a replica killed amid 100 keyed submits: replayed on the others, each key has one evaluation and an answer',
  async t => {
    const { services, model, redis } = await replicas(t)
    const [doomed, ...others] = services
    const submit = (url: string, key: number) =>
      request(`${url}/process-prompt`, {
        method: 'POST',
        headers: {
          ...asPrincipal(),
          'content-type': 'application/json',
          prefer: 'respond-async',
          'idempotency-key': `k${key}`,
        },
        body: JSON.stringify({ PromptContent: `Prompt ${key}` }),
      })
    const keys = Array.from({ length: 100 }, (_, key) => key)
    const owner = `app ${principal.clientId}`

    const firsts = keys.map(key => submit(doomed.url, key).catch(() => undefined))
    // In the middle: some sessions exist, and not all.
    while (model.listSessions(owner).length < 40) await wait(2)
    doomed.running.child.kill('SIGKILL')
    const acknowledged = await Promise.all(firsts)
    t.ok(acknowledged.filter(reply => reply?.status === 202).length < keys.length)

    // The dead replica's claims run out after 30 s: what Redis wrote down is moved into the past in
    // their stead.
    const store = await redis.connect()
    for (const key of await store.keys('copilot:submit:*')) {
      if ((await store.hexists(key, 'heldUntil')) === 1) await store.hset(key, 'heldUntil', '1')
    }
    const replies = await Promise.all(
      keys.map(key => submit((others[key % 2] as Replica).url, key)),
    )

    t.ok(replies.every(({ status }) => status === 200 || status === 202))
    for (const [key, first] of acknowledged.entries()) {
      if (first?.status === 202) t.equal(replies[key]?.body.evaluationId, first.body.evaluationId)
    }
    const evaluations = new Map<string, string[]>()
    for (const session of model.listSessions(owner)) {
      for (const prompt of model.listPrompts(owner, session.id) ?? []) {
        const ran = (model.listEvaluations(owner, session.id, prompt.id) ?? []).map(({ id }) => id)
        evaluations.set(prompt.content, [...(evaluations.get(prompt.content) ?? []), ...ran])
      }
    }
    for (const key of keys)
      t.same(evaluations.get(`Prompt ${key}`), [replies[key]?.body.evaluationId])
  },
)

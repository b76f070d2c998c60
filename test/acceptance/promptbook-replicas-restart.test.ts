import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Model } from '../../src/sandbox/graph/graph-model.ts'
import { asPrincipal, principal } from '../helpers/entra-world.ts'
import { replicas, type Replica } from '../helpers/replicas.ts'
import { request, type Reply } from '../helpers/world.ts'

// Processes start and end, and evaluations take a second each.
t.setTimeout(120_000)

const owner = `app ${principal.clientId}`

/** How many evaluations each prompt has, by its content. */
function evaluations(model: Model): Map<string, number> {
  const counts = new Map<string, number>()
  for (const session of model.listSessions(owner)) {
    for (const prompt of model.listPrompts(owner, session.id) ?? []) {
      const { length } = model.listEvaluations(owner, session.id, prompt.id) ?? []
      const { content } = prompt
      counts.set(content, (counts.get(content) ?? 0) + length)
    }
  }
  return counts
}

const begin = (url: string, Prompts: string[], key?: string): Promise<Reply> =>
  request(`${url}/run-promptbook`, {
    method: 'POST',
    headers: {
      ...asPrincipal(),
      'content-type': 'application/json',
      prefer: 'respond-async',
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    body: JSON.stringify({ Prompts }),
  })

/** Polls the path of a run at one replica after the other, until it is answered 200. */
async function polled(urls: () => string[], path: string): Promise<Reply> {
  for (let turn = 0; turn < 400; turn += 1) {
    const all = urls()
    const reply = await request(`${all[turn % all.length]}${path}`, {
      headers: { ...asPrincipal(), prefer: 'wait=1' },
    }).catch(() => undefined)
    if (reply?.status === 200) return reply
    await wait(200)
  }
  throw new Error('the run did not end')
}

const pathOf = (reply: Reply): string => new URL(reply.headers.get('location') ?? '').pathname

t.test('twenty runs and one of twelve steps, through three replicas restarted in turn', async t => {
  const { services, start, model } = await replicas(t, { RATE_LIMIT_CALLS: '1000000' })
  const living = new Map(services.map(replica => [replica.port, replica]))
  const urls = () => [...living.values()].map(({ url }) => url)
  const promptsOf = (run: number, count: number) =>
    Array.from({ length: count }, (_, step) => `Run ${run} step ${step}`)
  const runs = Array.from({ length: 21 }, (_, run) => promptsOf(run, run === 0 ? 12 : 3))

  const begun = await Promise.all(
    runs.map((prompts, run) => begin(services[run % 3]?.url ?? '', prompts)),
  )
  t.same(new Set(begun.map(({ status }) => status)), new Set([202]))
  const ending = begun.map(reply => polled(urls, pathOf(reply)))
  for (const { port, running } of services) {
    living.delete(port)
    running.child.kill('SIGTERM')
    t.equal((await running.exit).code, 0)
    living.set(port, await start(port))
  }
  const ended = await Promise.all(ending)
  t.ok(ended.every(({ body }) => body.promptbookState === 'Completed'))
  t.same(
    ended.map(({ body }) => body.evaluationResults.map((one: any) => one.promptContent)),
    runs,
  )
  t.same(new Set(evaluations(model).values()), new Set([1]))
  t.equal(evaluations(model).size, 12 + 20 * 3)
})

t.test(
  'a replica killed within and between steps: others go on, and nothing runs twice',
  async t => {
    const { services, model, redis } = await replicas(t, { RATE_LIMIT_CALLS: '1000000' })
    const [doomed, ...others] = services
    const urls = () => others.map(({ url }: Replica) => url)
    const runs = Array.from({ length: 12 }, (_, run) =>
      Array.from({ length: 3 }, (_one, step) => `Run ${run} step ${step}`),
    )
    // Begun one after the other, so that the end of the replica meets each at another place.
    const begun: Reply[] = []
    for (const [run, prompts] of runs.entries()) {
      begun.push(await begin(doomed.url, prompts, `k${run}`))
      await wait(120)
    }
    doomed.running.child.kill('SIGKILL')
    await doomed.running.exit
    // The dead replica's claims run out after 30 s: what Redis wrote down is moved into the past.
    const store = await redis.connect()
    for (const key of await store.keys('copilot:run:*')) {
      if ((await store.hexists(key, 'heldUntil')) === 1) await store.hset(key, 'heldUntil', '1')
    }
    const again = await Promise.all(
      runs.map((prompts, run) => begin(urls()[run % 2] ?? '', prompts, `k${run}`)),
    )
    t.ok(again.every(({ status }) => status === 200 || status === 202))
    const ended = await Promise.all(begun.map(reply => polled(urls, pathOf(reply))))
    t.ok(ended.every(({ body }) => body.promptbookState === 'Completed'))
    t.same(new Set(evaluations(model).values()), new Set([1]))
    t.equal(evaluations(model).size, 36)
  },
)

t.test('Redis killed and back, empty, during runs: they end, once', async t => {
  const { services, model, redis } = await replicas(t, { RATE_LIMIT_CALLS: '1000000' })
  const urls = () => services.map(({ url }) => url)
  const runs = Array.from({ length: 6 }, (_, run) =>
    Array.from({ length: 4 }, (_one, step) => `Run ${run} step ${step}`),
  )
  const begun = await Promise.all(runs.map((prompts, run) => begin(urls()[run % 3] ?? '', prompts)))
  t.same(new Set(begun.map(({ status }) => status)), new Set([202]))
  await redis.kill()
  await wait(1500)
  await redis.start()
  // Their drivers write them anew within 2 s.
  await wait(4000)
  const ended = await Promise.all(begun.map(reply => polled(urls, pathOf(reply))))
  t.ok(ended.every(({ body }) => body.promptbookState === 'Completed'))
  t.same(new Set(evaluations(model).values()), new Set([1]))
})

import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { asPrincipal, entraWorld } from '../helpers/entra-world.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering, runProcess } from '../helpers/process.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { evaluationPath, request, world, type WorldOptions } from '../helpers/world.ts'

/** A service whose numbers can be read: the value of a series by its name and labels. */
async function counted(t: Test, options: WorldOptions = {}) {
  const { observer, registry } = createMetrics()
  const value = async (
    name: string,
    labels: Record<string, string> = {},
  ): Promise<number | undefined> => {
    const metric = (await registry.getMetricsAsJSON()).find(one => one.name === name)
    const values = (metric?.values ?? []) as {
      value: number
      labels: Record<string, unknown>
      metricName?: string
    }[]
    return values.find(one =>
      Object.entries(labels).every(([key, label]) => String(one.labels[key]) === label),
    )?.value
  }
  return { w: await world(t, { observer, ...options }), observer, registry, value }
}

t.test('metrics count', async t => {
  await t.test('requests by route, status and code, and how long they took', async t => {
    const { w, value, registry } = await counted(t)
    await w.start('Hello')
    await w.post('/process-prompt', {})
    await w.get('/nowhere')
    await w.get('/livez')
    const requests = 'copilot_http_requests_total'
    t.equal(
      await value(requests, { method: 'POST', route: '/process-prompt', status: '202', code: '' }),
      1,
    )
    t.equal(
      await value(requests, { route: '/process-prompt', status: '400', code: 'InvalidRequest' }),
      1,
    )
    t.equal(await value(requests, { route: 'unmatched', status: '404', code: 'NotFound' }), 1)
    t.match(
      await registry.metrics(),
      /copilot_http_request_duration_seconds_count\{route="\/process-prompt"\} 2/,
    )
  })

  await t.test('what is no HTTP', async t => {
    const { w, value } = await counted(t)
    await t.rejects(
      request(w.url, { headers: { x: 'x'.repeat(40_000) } }).then(({ status }) =>
        Promise.reject(status),
      ),
    )
    t.equal(
      await value('copilot_http_requests_total', { route: 'malformed', code: 'HeadersTooLarge' }),
      1,
    )
  })

  await t.test('calls to Graph by operation and status', async t => {
    const { w, value } = await counted(t)
    await w.start('[sim:createPrompt=403] Hello')
    await w.start('[sim:createSession=reset] Hello')
    t.equal(
      await value('copilot_graph_calls_total', { operation: 'createSession', status: '201' }),
      1,
    )
    t.equal(
      await value('copilot_graph_calls_total', { operation: 'createPrompt', status: '403' }),
      1,
    )
    t.equal(
      await value('copilot_graph_calls_total', { operation: 'createSession', status: 'none' }),
      4,
    )
  })

  await t.test('Submits that are held', async t => {
    let during: Promise<number | undefined> | undefined
    const { w, value } = await counted(t, {
      beforeGraph: async (method, url) => {
        if (method === 'GET' && /evaluations\/./.test(url))
          during ??= value('copilot_open_long_polls')
      },
    })
    await w.post('/process-prompt', { PromptContent: 'Hello' })
    t.equal(await during, 1)
    t.equal(await value('copilot_open_long_polls'), 0)
  })

  await t.test('calls admitted and refused', async t => {
    const { w, value } = await counted(t, { env: { RATE_LIMIT_CALLS: '2' } })
    for (let call = 0; call < 5; call += 1) await w.post('/process-prompt', {})
    t.equal(await value('copilot_limit_calls_total', { outcome: 'admitted' }), 2)
    t.equal(await value('copilot_limit_calls_total', { outcome: 'refused' }), 3)
  })

  await t.test('keys by what became of them', async t => {
    const redis = await redisServer(t)
    const { w, value } = await counted(t, { env: { REDIS_URL: redis.url } })
    const submit = (key: string, content: string) =>
      w.post(
        '/process-prompt',
        { PromptContent: content },
        { 'idempotency-key': key, prefer: 'respond-async' },
      )
    await submit('a', 'Hello')
    await submit('a', 'Hello')
    await submit('a', 'Other')
    await submit('b', '[sim:createPrompt=403] Hello')
    await submit('b', '[sim:createPrompt=403] Hello')
    await redis.kill()
    await submit('c', 'Hello')
    const outcomes = { new: 2, replayed: 1, reused: 1, resumed: 1, unavailable: 1 }
    for (const [outcome, count] of Object.entries(outcomes)) {
      t.equal(await value('copilot_idempotency_keys_total', { outcome }), count, outcome)
    }
  })

  await t.test('whether the store is there', async t => {
    const redis = await redisServer(t)
    const { w, value } = await counted(t, { env: { REDIS_URL: redis.url } })
    await w.post('/process-prompt', {})
    t.equal(await value('copilot_store_available'), 1)
    await redis.kill()
    await w.post('/process-prompt', {})
    t.equal(await value('copilot_store_available'), 0)
    await redis.start()
    // It is found to be back without any call.
    while ((await value('copilot_store_available')) !== 1)
      await new Promise(resolve => setImmediate(resolve))
  })

  await t.test('connections whose circuit is open', async t => {
    const { w, value } = await counted(t)
    for (let call = 0; call < 3; call += 1) {
      await w.start('[sim:createSession=503] Hello')
      w.clock.advance(1000)
    }
    t.equal(await value('copilot_open_circuits'), 1)
    w.clock.advance(30_000)
    await w.start('Hello')
    t.equal(await value('copilot_open_circuits'), 0)
  })

  await t.test('tokens for Graph by where they came from', async t => {
    const { observer, value } = await counted(t)
    const w = await entraWorld(t, { observer })
    await w.post('/process-prompt', {}, asPrincipal())
    await w.post('/process-prompt', {}, asPrincipal())
    await w.post('/process-prompt', {}, asPrincipal('guess'))
    const tokens = 'copilot_graph_tokens_total'
    t.equal(await value(tokens, { outcome: 'exchanged' }), 1)
    t.equal(await value(tokens, { outcome: 'cached' }), 1)
    t.equal(await value(tokens, { outcome: 'refused' }), 1)
  })
})

t.test('METRICS_PORT serves /metrics, and nothing else does', async t => {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const url = `http://127.0.0.1:${port}`
  const sandbox = runProcess(t, 'src/sandbox/main.ts', {
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
  })
  await answering(`${url}/livez`)
  const body = JSON.stringify({ PromptContent: 'canary [sim:seconds=0]' })
  const submitted = await request(`${url}/process-prompt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  await request(url + evaluationPath(submitted))

  t.equal((await request(`${url}/metrics`)).status, 404)
  t.equal((await request(`http://127.0.0.1:${metricsPort}/`)).status, 404)
  const served = await request(`http://127.0.0.1:${metricsPort}/metrics`)
  t.match(served.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  t.match(
    served.body,
    /copilot_http_requests_total\{method="POST",route="\/process-prompt",status="200",code=""\} 1/,
  )
  t.notMatch(served.body, /canary|SIMULATED/)
  t.notOk(served.body.includes(submitted.body.sessionId))

  await t.test(
    'dashboard and alerts ask for what is exported, with labels that it has',
    async t => {
      const exported = new Map<string, Set<string>>()
      for (const [, name = '', labels = ''] of served.body.matchAll(
        /^([a-z_0-9]+)(?:\{(.*)\})? /gm,
      )) {
        const known = exported.get(name) ?? new Set()
        for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label)
        exported.set(name, known)
      }
      // Series that this service has not made yet: their labels are known from the definitions.
      const { registry } = createMetrics()
      for (const { name, labelNames = [] } of registry.getMetricsAsArray() as {
        name: string
        labelNames?: string[]
      }[]) {
        for (const series of [name, `${name}_bucket`]) {
          exported.set(series, new Set([...(exported.get(series) ?? []), ...labelNames]))
        }
      }
      const { panels } = JSON.parse(readFileSync('deploy/grafana/dashboard.json', 'utf8'))
      const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8'))
      const queries: string[] = [
        ...panels.flatMap((panel: any) => panel.targets.map((target: any) => target.expr)),
        ...groups.flatMap((group: any) => group.rules.map((rule: any) => rule.expr)),
      ]
      t.ok(queries.length > 15)
      const asked = new Set<string>()
      for (const query of queries) {
        const tree = parser.parse(query)
        const labels: string[] = []
        tree.iterate({
          enter({ name, from, to, type }) {
            t.notOk(type.isError, `${query} at ${from}`)
            const text = query.slice(from, to)
            if (name === 'Identifier') {
              asked.add(text)
              t.ok(exported.has(text), text)
            }
            if (name === 'LabelName') labels.push(text)
          },
        })
        const known = new Set(
          [...asked]
            .filter(name => query.includes(name))
            .flatMap(name => [...(exported.get(name) ?? [])]),
        )
        // `le` is a histogram's own.
        for (const label of labels) t.ok(label === 'le' || known.has(label), `${query}: ${label}`)
      }
      const own = [...exported.keys()]
        .filter(name => name.startsWith('copilot_'))
        .map(name => name.replace(/_(bucket|sum|count)$/, ''))
      for (const name of new Set(own))
        t.ok(
          [...asked].some(one => one.startsWith(name)),
          `${name} is shown`,
        )
    },
  )

  sandbox.child.kill('SIGTERM')
  t.match(await sandbox.exit, { code: 0 })
})

t.test('docs/operations.md says what to do about each alert', async t => {
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8'))
  const alerts = groups.flatMap((group: any) => group.rules.map((rule: any) => rule.alert))
  t.same(
    new Set(readFileSync('docs/operations.md', 'utf8').match(/\bCopilotConnector\w+/g)),
    new Set(alerts),
  )
})

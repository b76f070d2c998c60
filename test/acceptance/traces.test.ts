import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { addressOf } from '../../src/telemetry/open-telemetry.ts'
import { readTraceContext } from '../../src/telemetry/trace-context.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering, runProcess } from '../helpers/process.ts'
import { stub } from '../helpers/stub.ts'
import { request, world } from '../helpers/world.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${spanId}-01`

t.test('readTraceContext()', async t => {
  await t.test('reads the caller’s trace', async t => {
    t.same(readTraceContext({ traceparent, tracestate: 'vendor=1' }), {
      traceId,
      spanId,
      flags: '01',
      state: 'vendor=1',
    })
  })

  await t.test('reads what a later version may add, and no more', async t => {
    t.match(readTraceContext({ traceparent: `01-${traceId}-${spanId}-01-more` }), { traceId })
    t.equal(readTraceContext({ traceparent: `00-${traceId}-${spanId}-01-more` }), undefined)
  })

  await t.test('ignores what is no trace', async t => {
    const wrong = [
      undefined,
      '',
      'x',
      `ff-${traceId}-${spanId}-01`,
      `00-${'0'.repeat(32)}-${spanId}-01`,
      `00-${traceId}-${'0'.repeat(16)}-01`,
      traceparent.toUpperCase(),
    ]
    for (const header of wrong)
      t.equal(readTraceContext({ traceparent: header }), undefined, String(header))
  })

  await t.test('leaves out a state that is too long', async t => {
    t.match(readTraceContext({ traceparent, tracestate: 'x'.repeat(513) }), { state: undefined })
  })
})

t.test('a call to Graph', async t => {
  const seen: (string | string[] | undefined)[][] = []
  const graphUrl = await stub(t, ({ headers }, response) => {
    seen.push([headers['traceparent'], headers['tracestate']])
    response.writeHead(403, { 'content-type': 'application/json' }).end('{}')
  })
  const w = await world(t, { graphUrl: `${graphUrl}/beta` })
  const submit = (headers: Record<string, string>) =>
    w.post('/process-prompt', { PromptContent: 'Hello' }, headers)

  await t.test('goes on with the caller’s trace, as a span of its own', async t => {
    await submit({ traceparent, tracestate: 'vendor=1' })
    t.match(seen.at(-1), [new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`), 'vendor=1'])
    t.notMatch(seen.at(-1)?.[0], spanId)
    t.match(JSON.parse(w.log.at(-1) ?? ''), { traceId })
  })

  await t.test('begins a trace that nobody records when the caller has none', async t => {
    await submit({ traceparent: 'nonsense', tracestate: 'vendor=1' })
    t.match(seen.at(-1)?.[0], /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    t.equal(seen.at(-1)?.[1], undefined)
  })
})

t.test('addressOf() knows the port of a scheme', async t => {
  t.equal(addressOf('https://graph.microsoft.com/beta').port, 443)
  t.equal(addressOf('http://localhost/beta').port, 80)
  t.same(addressOf('http://127.0.0.1:81/beta?$skip=canary'), {
    hostname: '127.0.0.1',
    origin: 'http://127.0.0.1:81',
    pathname: '/beta',
    port: 81,
  })
})

/** A collector of traces that keeps what it is sent. */
async function collector(t: Test): Promise<{ url: string; spans: any[] }> {
  const spans: any[] = []
  const keep = (text: string) => {
    for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
      for (const scope of scopeSpans)
        for (const span of scope.spans) spans.push({ ...span, resource })
    }
  }
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', chunk => chunks.push(chunk))
    incoming.on('end', () => {
      keep(Buffer.concat(chunks).toString())
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans }
}

const attributesOf = ({ attributes }: any): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }: any) => [key, Object.values(value)[0]]))

t.test('with OTEL_EXPORTER_OTLP_ENDPOINT, a service sends its traces', async t => {
  const { url: endpoint, spans } = await collector(t)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const env = { PORT: String(port), OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
  const sandbox = runProcess(t, 'src/sandbox/main.ts', env)
  await answering(`${url}/livez`)
  const prompt = (content: string, headers: Record<string, string>) =>
    request(`${url}/process-prompt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async', ...headers },
      body: JSON.stringify({ PromptContent: content }),
    })
  const { body } = await prompt('canary-prompt', { traceparent, tracestate: 'vendor=1' })
  await prompt('canary-prompt [sim:createPrompt=403]', {})
  await prompt('canary-prompt [sim:createSession=reset]', {})
  await request(`${url}/canary-path?canary=1`)
  sandbox.child.kill('SIGTERM')
  await sandbox.exit

  const server = spans.find(span => span.traceId === traceId && span.kind === 2)
  t.match(server, { name: 'POST /process-prompt', parentSpanId: spanId })
  t.match(attributesOf(server), {
    'http.request.method': 'POST',
    'http.route': '/process-prompt',
    'url.path': '/process-prompt',
    'url.scheme': 'http',
    'http.response.status_code': 202,
  })
  t.match(attributesOf(server.resource), { 'service.name': 'security-copilot-connector' })

  const calls = spans.filter(span => span.parentSpanId === server.spanId)
  t.same(
    calls.map(({ name, kind }) => [name, kind]),
    ['createSession', 'createPrompt', 'createEvaluation'].map(operation => [
      `POST ${operation}`,
      3,
    ]),
  )
  t.match(attributesOf(calls[2]), {
    'http.request.method': 'POST',
    'server.address': '127.0.0.1',
    'server.port': Number,
    'url.full': new RegExp(`/prompts/${body.promptId}/evaluations$`),
    'http.response.status_code': 201,
  })

  const named = (name: string) => spans.filter(span => span.name === name).map(attributesOf)
  t.ok(named('POST createPrompt').some(({ 'error.type': type }) => type === '403'))
  t.ok(named('POST createSession').some(({ 'error.type': type }) => type === 'no_answer'))
  t.ok(named('POST /process-prompt').some(({ 'error.type': type }) => type === 'GraphForbidden'))
  const unavailable = spans.find(span => attributesOf(span)['error.type'] === 'GraphUnavailable')
  t.equal(unavailable.status.code, 2)
  t.match(named('GET unmatched'), [{ 'http.response.status_code': 404 }])
  t.notMatch(JSON.stringify(spans), /canary|token|SIMULATED/i)
})

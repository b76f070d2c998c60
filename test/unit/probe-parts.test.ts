import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent } from 'undici'
import { generate } from 'selfsigned'
import t, { type Test } from 'tap'
import { createAsk } from '../../scripts/probe/ask.ts'
import { createNotebook } from '../../scripts/probe/notebook.ts'
import { offersHttp2 } from '../../scripts/probe/offers-http2.ts'
import { readToken } from '../../scripts/probe/read-token.ts'
import { createReport } from '../../scripts/probe/report.ts'
import { readFacts } from '../../src/sandbox/graph/facts.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import {
  differing,
  folder,
  probeWorld,
  probing,
  readAll,
  tokenOf,
  writeAll,
} from '../helpers/probe-world.ts'

async function listening(t: Test, server: Server | ReturnType<typeof createSecureServer>) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Asks a server that answers so. */
async function asking(t: Test, listener: RequestListener) {
  const clock = leapingClock()
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.destroy())
  const ask = createAsk({
    baseUrl: `http://127.0.0.1:${await listening(t, createHttpServer(listener))}/beta/`,
    headers: {},
    clock,
    signal: new AbortController().signal,
    dispatcher,
  })
  return { clock, ask }
}

t.test('a throttled call is repeated after the time that it was told', async t => {
  let calls = 0
  const { ask, clock } = await asking(t, (_request, response) => {
    calls += 1
    response.writeHead(calls < 3 ? 429 : 200, calls === 1 ? { 'retry-after': '7' } : {}).end('{}')
  })
  t.match(await ask({ method: 'GET', path: '/x' }), { status: 200, retryAfter: false })
  t.same(clock.sleeps, [7000, 5000])
})

t.test('a call is repeated twice at most, and not at all if it might have run', async t => {
  let calls = 0
  const { ask, clock } = await asking(t, (_request, response) => {
    calls += 1
    response.writeHead(429, { 'retry-after': '1000' }).end('{}')
  })
  t.match(await ask({ method: 'POST', path: '/x', repeat: false }), { status: 429 })
  t.equal(calls, 1)
  t.match(await ask({ method: 'GET', path: '/x' }), { status: 429, retryAfter: true })
  t.equal(calls, 4)
  t.same(clock.sleeps, [60_000, 60_000], 'and no wait is longer than a minute')
})

t.test('an answer that is too long, or not JSON, is no answer', async t => {
  const { ask } = await asking(t, (request, response) => {
    response.end(request.url === '/beta/long' ? Buffer.alloc(17_000_000) : 'text')
  })
  t.match(await ask({ method: 'GET', path: '/long' }), { status: 0, trouble: 'unreachable' })
  t.match(await ask({ method: 'GET', path: '/text' }), { status: 200, body: undefined })
})

t.test('throttling and compression are told', async t => {
  const notebook = createNotebook(true)
  const seen = { status: 200, headers: {}, ms: 1, gzip: true, sentId: 'x' }
  notebook.noteCall('listPlugins', { ...seen, retryAfter: false })
  notebook.noteCall('listPlugins', { ...seen, headers: { 'content-encoding': 'br' } })
  notebook.noteCall('listPlugins', { ...seen, body: [1] })
  t.match(createReport(notebook.facts(), '2026-01-05', 0), {
    facts: { headers: { encoding: 'other', retryAfter: false }, proxied: true },
    rows: [],
  })
  t.same(differing(createReport(notebook.facts(), '2026-01-05', 0)), [
    'header.requestId',
    'header.clientRequestId',
    'header.encoding',
    'header.retryAfter',
  ])
  t.equal(readFacts({ facts: notebook.facts() }).simulator.encoding, 'asked')
})

t.test('an operation that works at times is told, and not refused by the simulator', async t => {
  let calls = 0
  const w = await probeWorld(t, {
    simulator: {
      fault: name => {
        if (name !== 'getEvaluation') return undefined
        calls += 1
        return calls % 3 === 0 ? { kind: 'status', status: 503, retryAfter: undefined } : undefined
      },
    },
  })
  const report = await probing(w, { service: undefined, evaluations: 2 })
  t.same(differing(report), ['call.getEvaluation'])
  t.match(report.facts.calls.getEvaluation, {
    status: 200,
    sometimes: { status: 503, code: 'ServiceUnavailable' },
  })
  t.same(readFacts(report).simulator.refused, {})
})

t.test('compression that nobody asked for is told', async t => {
  const w = await probeWorld(t, { simulator: { encoding: 'always' } })
  const report = await probing(w, { service: undefined, evaluations: 0 })
  t.same(differing(report), ['header.encoding'])
  t.equal(readFacts(report).simulator.encoding, 'always')
})

t.test('a report has no place for a text', async t => {
  const notebook = createNotebook(false)
  const evaluation = { states: [{ state: 'two words', afterMs: 0 }], ended: false }
  notebook.note({ evaluation })
  t.throws(() => notebook.facts())
  const facts = createNotebook(false).facts()
  t.throws(() => createReport({ ...facts, note: 'text' } as typeof facts, '2026-01-05', 0))
})

t.test('HTTP/2 is looked for in the handshake', async t => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  const secure = { key, cert }
  const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env
  const at = (port: number) => offersHttp2(`https://127.0.0.1:${port}/beta`)
  const two = await listening(t, createSecureServer(secure))
  const one = await listening(t, createTlsServer(secure))
  t.equal(await at(two), undefined, 'not without trust')
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  })
  t.equal(await at(two), true)
  t.equal(await at(one), false)
  t.equal(await offersHttp2('http://127.0.0.1:1'), undefined)
})

t.test('a certificate that is not trusted, and a proxy that is not there, are told', async t => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  const port = await listening(t, createTlsServer({ key, cert }))
  const w = await probeWorld(t)
  const graph = { url: `https://localhost:${port}/beta`, token: 'opaque' }
  t.same((await probing(w, { service: undefined, graph })).advice, ['untrusted'])
  const { HTTPS_PROXY: before } = process.env
  process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1'
  t.teardown(() => {
    if (before === undefined) delete process.env['HTTPS_PROXY']
  })
  const report = await probing(w, { service: undefined, graph, proxied: true })
  t.same(report.advice, ['proxyRefuses', 'unreachable'])
  t.equal(report.facts.proxied, true)
})

t.test('a token says of itself', async t => {
  const now = Date.UTC(2026, 0, 5)
  t.match(readToken(tokenOf([readAll, writeAll], { exp: now / 1000 + 1 }), now), {
    kind: 'delegated',
    audience: 'graph',
    version: 'v1',
    expired: false,
    read: true,
    write: true,
    claims: ['aud', 'exp', 'scp', 'ver'],
  })
  const app = { scp: undefined, roles: [readAll], ver: '2.0', aud: 'x', 'https://a b': 1 }
  t.match(readToken(tokenOf([], app), now), {
    kind: 'application',
    audience: 'other',
    version: 'v2',
    read: true,
    write: false,
    claims: ['aud', 'roles', 'ver'],
  })
  t.match(readToken(tokenOf([], { idtyp: 'app', ver: 3 }), now), {
    kind: 'application',
    version: 'unknown',
    read: false,
  })
  t.match(readToken('no JWT', now), { kind: 'opaque', claims: [] })
})

t.test('the simulator takes a report from a file, and nothing else', async t => {
  const facts = createNotebook(false).facts()
  const path = join(folder(), 'probe-report.json')
  writeFileSync(path, JSON.stringify(createReport(facts, '2026-01-05', 0)))
  t.same(readFacts(path), readFacts({ facts }))
  writeFileSync(path, ' '.repeat(1_000_001))
  for (const wrong of [path, '/nowhere.json', '{"facts":{}}', '{', {}]) {
    t.throws(() => readFacts(wrong), { message: /^Cannot read the facts/ })
  }
})

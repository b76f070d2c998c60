import { once } from 'node:events'
import { createServer, request as forward } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { createOutbound, readProxy } from '../../src/outbound.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering, runProcess } from '../helpers/process.ts'
import { stub } from '../helpers/stub.ts'
import { evaluationPath, request, world } from '../helpers/world.ts'

/** A proxy that passes on what it is asked, and writes down where to. */
async function proxy(t: Test): Promise<{ url: string; hosts: string[] }> {
  const hosts: string[] = []
  const server = createServer((incoming, outgoing) => {
    const url = new URL(String(incoming.url))
    hosts.push(url.host)
    const { method, headers } = incoming
    const upstream = forward(url, { method: String(method), headers }, response => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    incoming.pipe(upstream)
  })
  server.on('connect', ({ url = '' }, socket) => {
    hosts.push(url)
    const [host = '', port] = url.split(':')
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      socket.pipe(upstream).pipe(socket)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, hosts }
}

t.test('readProxy() takes either case, the lower one first, and nothing for empty', async t => {
  t.same(readProxy({ HTTPS_PROXY: 'http://a', https_proxy: 'http://b', NO_PROXY: ' x ' }), {
    httpProxy: undefined,
    httpsProxy: 'http://b',
    noProxy: 'x',
  })
  t.same(readProxy({ HTTP_PROXY: '' }), {
    httpProxy: undefined,
    httpsProxy: undefined,
    noProxy: undefined,
  })
})

t.test('with a proxy', async t => {
  await t.test('Graph is reached through it, and what NO_PROXY names without', async t => {
    const { url, hosts } = await proxy(t)
    const through = await world(t, { proxy: { httpProxy: url } })
    t.equal((await through.start('Hello')).status, 202)
    t.ok(hosts.length > 0)
    t.ok(hosts.every(host => host === new URL(through.graphUrl).host))
    const before = hosts.length
    const around = await world(t, { proxy: { httpProxy: url, noProxy: '127.0.0.1' } })
    t.equal((await around.start('Hello')).status, 202)
    t.equal(hosts.length, before)
  })

  await t.test('so is Entra', async t => {
    const { url, hosts } = await proxy(t)
    const entra = await stub(t, (_request, response) => response.end('{}'))
    const outbound = createOutbound({ httpProxy: url })
    t.teardown(outbound.close)
    t.equal(await (await outbound.fetch(`${entra}/keys`, {})).text(), '{}')
    t.same(hosts, [new URL(entra).host])
  })

  await t.test(
    'npm start obeys the environment, and the collector is reached through it',
    async t => {
      const { url, hosts } = await proxy(t)
      const refusing = await stub(t, (_request, response) => response.writeHead(404).end())
      const [port, entra] = [await freePort(), await freePort()]
      const service = runProcess(t, 'src/server.ts', {
        PORT: String(port),
        GRAPH_BASE_URL: 'http://127.0.0.1:1/beta',
        ENTRA_AUTHORITY: `http://127.0.0.1:${entra}`,
        ENTRA_TENANT_ID: '11111111-1111-4111-8111-111111111111',
        ENTRA_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
        ENTRA_CLIENT_SECRET: 'unused',
        OTEL_EXPORTER_OTLP_ENDPOINT: refusing,
        OTEL_BSP_SCHEDULE_DELAY: '50',
        HTTP_PROXY: url,
      })
      await answering(`http://127.0.0.1:${port}/livez`)
      await request(`http://127.0.0.1:${port}/readyz`)
      await request(`http://127.0.0.1:${port}/readyz`)
      while (!/the collector does not take them/.test(service.output())) {
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      t.ok(hosts.includes(new URL(refusing).host), 'the collector')
      t.ok(hosts.includes(`127.0.0.1:${entra}`), 'Entra')
    },
  )
})

t.test('a compressed response is read, and bounded by what comes out of it', async t => {
  const evaluation = {
    id: '33333333-3333-4333-8333-333333333333',
    createdDateTime: '2026-01-05T09:00:00Z',
    lastModifiedDateTime: '2026-01-05T09:00:00Z',
    state: 'running',
    result: null,
  }
  const codings: [string, (text: string) => Buffer][] = [
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', text => brotliCompressSync(gzipSync(text))],
  ]
  for (const [coding, encode] of codings) {
    const graph = await stub(t, ({ url = '' }, response) => {
      const one = /evaluations\//.test(url) ? evaluation : { ...evaluation, content: 'Hello' }
      response.setHeader('content-encoding', coding).end(encode(JSON.stringify(one)))
    })
    const w = await world(t, { graphUrl: `${graph}/beta` })
    const path = evaluationPath({
      body: {
        sessionId: evaluation.id,
        promptId: evaluation.id,
        evaluationId: evaluation.id,
      },
    } as never)
    t.match(await w.get(path), { status: 200, body: { evaluationState: 'Running' } }, coding)
  }
  const bomb = gzipSync(`{"value":"${'x'.repeat(20_000_000)}"}`)
  for (const [coding, bytes] of [
    ['gzip', bomb],
    ['gzip', Buffer.from('nonsense')],
    ['zstd', Buffer.from('{}')],
  ] as const) {
    const graph = await stub(t, (_request, response) =>
      response.setHeader('content-encoding', coding).end(bytes),
    )
    const w = await world(t, { graphUrl: `${graph}/beta` })
    t.match(await w.start('Hello'), {
      status: 502,
      body: { error: { code: 'GraphInvalidResponse' } },
    })
  }
})

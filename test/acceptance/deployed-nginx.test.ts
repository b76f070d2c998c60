import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { catalogue } from '../../src/errors.ts'
import { freePort } from '../helpers/free-port.ts'
import { deployedNginx } from '../helpers/nginx.ts'
import { stub } from '../helpers/stub.ts'

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

/** One call on a connection of its own. */
async function call(url: string, { method = 'POST', path = '/', headers, body }: Sent = {}) {
  const sent = https.request(`${url}${path}`, { method, headers: headers ?? {}, agent: false })
  sent.end(body)
  const [response] = await once(sent, 'response')
  const { statusCode, headers: received, headersDistinct } = response
  return {
    status: statusCode as number,
    headers: received as IncomingHttpHeaders,
    headersDistinct: headersDistinct as NodeJS.Dict<string[]>,
    text: await text(response),
  }
}

/** A replica that counts the calls it hears, the health check of the test's nginx apart. */
async function replica(t: Test, answer: RequestListener) {
  const heard: { headers: IncomingHttpHeaders; body: string }[] = []
  const hear = async (...[request, response]: Parameters<RequestListener>): Promise<void> => {
    const body = await text(request)
    // What waits for nginx to be up asks for this.
    if (request.url !== '/livez') heard.push({ headers: request.headers, body })
    if (request.url === '/livez') response.end()
    else answer(request, response)
  }
  const url = await stub(t, (...both) => void hear(...both))
  return { url, heard }
}

const works: RequestListener = (_request, response) => void response.end('{"ok":true}')

const notTakenUpHeaders = {
  'x-not-taken-up': 'true',
  'cache-control': 'no-store',
  'content-type': 'application/json; charset=utf-8',
  'retry-after': '2',
}

/** Nothing was done for the call, as the service says it. */
const notTakenUp: RequestListener = (_request, response) =>
  void response.writeHead(503, notTakenUpHeaders).end('{"error":{"code":"ShuttingDown"}}')

/** The call was begun; its ids must reach the caller. */
const begun: RequestListener = (_request, response) =>
  void response
    .writeHead(503, { 'retry-after': '7', 'x-ms-error-code': 'GraphUnavailable' })
    .end('{"sessionId":"s","error":{"code":"GraphUnavailable"}}')

const closedPort = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`

t.test('the shipped nginx hides no idempotency key and invents none', async t => {
  const { url, heard } = await replica(t, works)
  const front = await deployedNginx(t, [url])
  const keys = [
    'idempotency-key',
    'repeatability-request-id',
    'x-ms-workflow-run-id',
    'x-ms-action-tracking-id',
  ]
  const cases: Record<string, string>[] = [
    {},
    ...keys.map(key => ({ [key]: `"${key} 1"` })),
    Object.fromEntries(keys.map(key => [key, `value of ${key}`])),
    { 'idempotency-key': '', 'repeatability-request-id': 'r' },
  ]
  for (const headers of cases) {
    await call(front, { headers, body: 'x' })
    const got = heard.at(-1)?.headers ?? {}
    for (const key of keys) t.equal(got[key], headers[key], key)
  }

  await t.test('and passes every other header as it came', async t => {
    const others = {
      authorization: 'Bearer a.b.c',
      prefer: 'wait=10',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      'x-entra-client-secret': 'q~"x',
      'x-ms-apim-referrer-prefix': 'https://x.azure-apihub.net/apim/a/b',
      'x-ms-client-request-id': 'mine',
      'x-hop': '4',
    }
    await call(front, { headers: others })
    const got = heard.at(-1)?.headers ?? {}
    const { 'x-hop': _own, ...passed } = others
    for (const [name, value] of Object.entries(passed)) t.equal(got[name], value, name)
    // The header between its two servers stays there.
    t.notOk('x-hop' in got)
  })
})

t.test('the shipped nginx passes a call on only if it was surely not taken up', async t => {
  for (const method of ['GET', 'POST']) {
    await t.test(`${method}: when a replica cannot be connected to`, async t => {
      const { url, heard } = await replica(t, works)
      const front = await deployedNginx(t, [url, await closedPort(), await closedPort()])
      for (let n = 0; n < 6; n += 1)
        t.equal(
          (await call(front, { method, ...(method === 'POST' && { body: 'b' }) })).status,
          200,
        )
      t.equal(heard.length, 6)
    })

    await t.test(`${method}: when it says so, with the body as it came`, async t => {
      const stopping = await replica(t, notTakenUp)
      const { url, heard } = await replica(t, works)
      const front = await deployedNginx(t, [stopping.url, url])
      const body = 'é'.repeat(100_000)
      for (let n = 0; n < 6; n += 1) {
        const { status, headers } = await call(front, {
          method,
          ...(method === 'POST' && { body, headers: { 'x-ms-workflow-run-id': 'run' } }),
        })
        t.equal(status, 200)
        t.notOk('x-accel-redirect' in headers)
      }
      t.equal(heard.length, 6)
      t.ok(stopping.heard.length >= 3)
      if (method === 'POST') {
        t.ok(heard.every(one => one.body === body))
        t.ok(heard.every(({ headers }) => headers['x-ms-workflow-run-id'] === 'run'))
      }
    })
  }

  await t.test('five times at most: then the caller hears the last one, once', async t => {
    const { url, heard } = await replica(t, notTakenUp)
    const front = await deployedNginx(t, [url])
    const reply = await call(front, { body: 'b' })
    t.same([reply.status, reply.text], [503, '{"error":{"code":"ShuttingDown"}}'])
    t.equal(heard.length, 5)
    for (const name of ['retry-after', 'x-not-taken-up', 'cache-control', 'content-type'])
      t.equal(reply.headersDistinct[name]?.length, 1, name)
    t.notOk('x-accel-redirect' in reply.headers)
  })

  await t.test('not a 503 without that word: it reaches the caller as it is', async t => {
    const { url, heard } = await replica(t, begun)
    const front = await deployedNginx(t, [url, url])
    for (const method of ['GET', 'POST']) {
      const { status, headers, text } = await call(front, { method })
      t.same(
        [status, headers['retry-after'], headers['x-ms-error-code'], JSON.parse(text).sessionId],
        [503, '7', 'GraphUnavailable', 's'],
      )
    }
    t.equal(heard.length, 2)
  })

  await t.test('not that word with another status, nor another word', async t => {
    for (const [status, word] of [
      [429, 'true'],
      [202, 'true'],
      [503, 'false'],
    ] as const) {
      const { url, heard } = await replica(t, (_request, response) => {
        response.writeHead(status, { 'x-not-taken-up': word }).end('{}')
      })
      const front = await deployedNginx(t, [url])
      t.equal((await call(front)).status, status)
      t.equal(heard.length, 1)
    }
  })

  await t.test('not a POST whose connection broke after it was sent', async t => {
    const { url, heard } = await replica(t, (_request, response) => void response.destroy())
    const front = await deployedNginx(t, [url, url])
    const { status, headers, text } = await call(front, { body: 'b' })
    t.equal(status, 502)
    t.equal(heard.length, 1)
    t.equal(JSON.parse(text).error.code, headers['x-ms-error-code'])
  })

  await t.test('a replica cannot send nginx elsewhere', async t => {
    const { url } = await replica(t, (_request, response) => {
      response.writeHead(200, { 'x-accel-redirect': '/own-error' }).end('mine')
    })
    const front = await deployedNginx(t, [url])
    const { status, text } = await call(front)
    t.same([status, text], [200, 'mine'])
  })
})

t.test('the shipped nginx lets through what the service itself would refuse', async t => {
  await t.test('headers of up to 32 KiB, in one line or several', async t => {
    const heard: IncomingHttpHeaders[] = []
    const server = createServer({ maxHeaderSize: 40_000 }, ({ headers }, response) => {
      heard.push(headers)
      response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    const { port } = server.address() as AddressInfo
    const front = await deployedNginx(t, [`http://127.0.0.1:${port}`])
    for (const [one, other] of [
      [32_000, 1],
      [16_000, 16_000],
    ] as const) {
      const headers = { authorization: 'x'.repeat(one), 'x-other': 'y'.repeat(other) }
      t.equal((await call(front, { headers })).status, 200)
      t.match(heard.at(-1), headers)
    }
  })

  await t.test('a 202 whose headers have 15 kB', async t => {
    const { url } = await replica(t, (_request, response) => {
      const address = `https://x.azure-apihub.net/${'a'.repeat(7000)}`
      response.writeHead(202, { location: address, 'operation-location': address }).end('{}')
    })
    const { status, headers } = await call(await deployedNginx(t, [url]))
    t.equal(status, 202)
    t.equal(headers.location?.length, 7027)
  })

  await t.test('a body of 20 MB, so that the service’s 413 is heard', async t => {
    const { url, heard } = await replica(t, (_request, response) => {
      response.writeHead(413, { 'x-ms-error-code': 'PayloadTooLarge' }).end('{"error":{}}')
    })
    const reply = await call(await deployedNginx(t, [url]), { body: Buffer.alloc(20_000_000, 'x') })
    t.same([reply.status, reply.text], [413, '{"error":{}}'])
    t.equal(heard[0]?.body.length, 20_000_000)
  })
})

t.test('what the shipped nginx refuses itself has the shape of the service’s errors', async t => {
  const { url, heard } = await replica(t, works)
  const front = await deployedNginx(t, [url])

  const isOurs = (t: Test, reply: Awaited<ReturnType<typeof call>>, status: number) => {
    t.equal(reply.status, status)
    t.match(reply.headers['content-type'], /^application\/json/)
    const { error } = JSON.parse(reply.text)
    t.ok(Object.hasOwn(catalogue, error.code), error.code)
    t.equal(reply.headers['x-ms-error-code'], error.code)
    t.match(error.message, /^(Cannot .+: .+|Rate limit is exceeded\. Try again in 1 seconds\.)$/)
    t.match(error.innerError['request-id'], /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
    t.equal(reply.headers['request-id'], error.innerError['request-id'])
    t.ok(Date.parse(error.innerError.date) > 0)
    return error
  }

  await t.test('a body over 33 MiB', async t => {
    const reply = await call(front, { headers: { 'content-length': String(40_000_000) } })
    t.equal(isOurs(t, reply, 413).code, 'PayloadTooLarge')
  })

  await t.test('a header over 40 KiB', async t => {
    const reply = await call(front, { headers: { 'x-long': 'x'.repeat(45_000) } })
    t.equal(isOurs(t, reply, 431).code, 'HeadersTooLarge')
  })

  await t.test('an address over 40 KiB', async t => {
    const reply = await call(front, { path: `/${'x'.repeat(45_000)}` })
    t.equal(isOurs(t, reply, 414).code, 'InvalidRequest')
  })

  await t.test('malformed HTTP', async t => {
    const { port } = new URL(front)
    const socket = connect({ port: Number(port), host: 'localhost', servername: 'localhost' })
    socket.end('GET / HTTP/1.1\r\n\r\n')
    const answer = await text(socket)
    t.match(answer, /^HTTP\/1\.1 400 /)
    t.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code, 'InvalidRequest')
  })

  await t.test('no replica at all', async t => {
    const reply = await call(await deployedNginx(t, [await closedPort()]), {
      headers: { 'client-request-id': 'say "hi"', 'x-ms-client-request-id': '' },
    })
    const error = isOurs(t, reply, 502)
    t.equal(reply.headers['retry-after'], '2')
    // It cannot stand in JSON as it is.
    t.equal(error.innerError['client-request-id'], error.innerError['request-id'])
  })

  await t.test('a flood from one address, and no more than that', async t => {
    const before = heard.length
    const calls = Array.from({ length: 600 }, () =>
      call(front, { method: 'GET', headers: { 'client-request-id': 'mine-1' } }),
    )
    const replies = await Promise.all(calls)
    const refused = replies.filter(({ status }) => status === 429)
    t.ok(refused.length > 0)
    t.ok(replies.length - refused.length >= 200)
    t.equal(heard.length - before, replies.length - refused.length)
    const [first] = refused
    if (!first) return
    const error = isOurs(t, first, 429)
    t.equal(error.code, 'RateLimitExceeded')
    t.equal(error.innerError['client-request-id'], 'mine-1')
    t.equal(first.headers['retry-after'], '1')
  })
})

t.test('the shipped nginx ends the call of a caller that leaves', async t => {
  const gone = Promise.withResolvers<boolean>()
  const { url } = await replica(t, (_request, response) => {
    response.once('close', () => gone.resolve(response.writableFinished))
  })
  const front = await deployedNginx(t, [url])
  const sent = https.request(front, { method: 'POST', agent: false })
  sent.on('error', () => undefined)
  sent.end('b')
  await new Promise(resolve => {
    setTimeout(resolve, 100)
  })
  sent.destroy()
  t.equal(await gone.promise, false)
})

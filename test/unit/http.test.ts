import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import { request, world, type Reply } from '../helpers/world.ts'
import { lawRuns } from '../helpers/laws.ts'

const guid = '11111111-1111-4111-8111-111111111111'

/** Writes bytes to the service and returns what it answers. */
async function raw(
  url: string,
  bytes: string,
): Promise<{ status: number; headers: string; body: any }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(bytes)
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  socket.on('error', () => undefined)
  await once(socket, 'close')
  const [headers = '', body = ''] = Buffer.concat(chunks).toString().split('\r\n\r\n')
  return {
    status: Number(headers.split(' ')[1]),
    headers: headers.toLowerCase(),
    body: body && JSON.parse(body),
  }
}

t.test('an unknown path is 404 NotFound', async t => {
  const { get, post } = await world(t)
  const replies = [
    await get('/home'),
    await get('/sessions'),
    await post('/process-prompts', 'not JSON'),
    await get('/metrics'),
  ]
  for (const reply of replies)
    t.match(reply, { status: 404, body: { error: { code: 'NotFound' } } })
})

t.test('a wrong method is 405 MethodNotAllowed with Allow', async t => {
  const { url, calls } = await world(t)
  const evaluation = `/sessions/${guid}/prompts/${guid}/evaluations/${guid}`
  const cases: [string, string, string][] = [
    ['GET', '/process-prompt', 'POST'],
    ['PUT', '/process-prompt?x=1', 'POST'],
    ['DELETE', evaluation, 'GET, HEAD'],
    ['POST', `${evaluation}/result`, 'GET, HEAD'],
    ['PATCH', `${evaluation}/operation`, 'GET, HEAD'],
    ['POST', `/sessions/${guid}/prompts/${guid}/promptbook`, 'GET, HEAD'],
    ['POST', '/livez', 'GET, HEAD'],
    ['PROPFIND', '/readyz', 'GET, HEAD'],
  ]
  for (const [method, path, allow] of cases) {
    const body = method === 'GET' ? {} : { body: 'not JSON' }
    const reply = await request(url + path, { method, ...body })
    t.match(
      reply,
      { status: 405, body: { error: { code: 'MethodNotAllowed' } } },
      `${method} ${path}`,
    )
    t.equal(reply.headers.get('allow'), allow)
  }
  t.same(calls, [])
})

t.test('a body over 1 MiB is 413 PayloadTooLarge', async t => {
  const { post } = await world(t)
  const reply = await post('/process-prompt', {
    PromptContent: 'x',
    Other: 'x'.repeat(1024 * 1024),
  })
  t.match(reply, { status: 413, body: { error: { code: 'PayloadTooLarge' } } })
})

t.test('a body that is not application/json is 415 UnsupportedMediaType', async t => {
  const { post } = await world(t)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'nonsense']) {
    const reply = await post('/process-prompt', { PromptContent: 'x' }, { 'content-type': type })
    t.match(reply, { status: 415, body: { error: { code: 'UnsupportedMediaType' } } })
  }
})

t.test('malformed HTTP is answered in the same words', async t => {
  const { url } = await world(t)
  const cases: [string, string, number, string][] = [
    [
      'a broken header line',
      'GET /livez HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n',
      400,
      'InvalidRequest',
    ],
    ['a CONNECT', 'CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'InvalidRequest'],
    ['no HTTP at all', 'hello\r\n\r\n', 400, 'InvalidRequest'],
    ['no Host', 'GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'InvalidRequest'],
    [
      'a path that cannot be decoded',
      'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      400,
      'InvalidRequest',
    ],
    [
      'headers over 32 KiB',
      `GET /livez HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`,
      431,
      'HeadersTooLarge',
    ],
    [
      'a path over 32 KiB',
      `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      431,
      'HeadersTooLarge',
    ],
  ]
  for (const [what, bytes, status, code] of cases) {
    const reply = await raw(url, bytes)
    t.match(
      reply,
      { status, body: { error: { code, innerError: { 'request-id': /^[0-9a-f-]{36}$/ } } } },
      what,
    )
    t.ok(reply.headers.includes(`request-id: ${reply.body.error.innerError['request-id']}`), what)
    t.ok(reply.headers.includes(`x-ms-error-code: ${code.toLowerCase()}`), what)
  }
})

t.test('HTTP/1.0 and an unknown Expect are served', async t => {
  const { url } = await world(t)
  t.match(await raw(url, 'GET /livez HTTP/1.0\r\n\r\n'), { status: 200, body: { status: 'alive' } })
  const expecting =
    'GET /livez HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n'
  t.match(await raw(url, expecting), { status: 200 })
})

t.test('a connection that breaks off needs no answer', async t => {
  const { url, get } = await world(t)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST /process-prompt HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n')
  socket.resetAndDestroy()
  t.match(await get('/livez'), { status: 200 })
})

t.test('every answer carries a request-id of ours and may not be kept', async t => {
  const { get, post } = await world(t)
  const replies: Reply[] = [
    await get('/livez', { 'request-id': 'mine' }),
    await get('/nowhere'),
    await post('/process-prompt', {}),
    await post('/process-prompt', { PromptContent: 'Hello' }),
  ]
  const ids = replies.map(({ headers }) => headers.get('request-id') ?? '')
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
  t.equal(new Set(ids).size, ids.length)
  for (const { headers } of replies) t.equal(headers.get('cache-control'), 'no-store')
  t.equal(replies[2]?.body.error.innerError['request-id'], ids[2])
  t.equal(replies[2]?.body.error.innerError['client-request-id'], ids[2])
})

t.test('a caller’s client-request-id is echoed', async t => {
  const { get } = await world(t)
  for (const name of ['client-request-id', 'x-ms-client-request-id']) {
    const { headers, body } = await get('/nowhere', { [name]: 'my-id/1' })
    t.equal(headers.get(name), 'my-id/1')
    t.equal(headers.get('client-request-id'), 'my-id/1')
    t.equal(body.error.innerError['client-request-id'], 'my-id/1')
  }
  for (const bad of ['x'.repeat(129), 'two words', 'é']) {
    const { headers } = await get('/nowhere', { 'client-request-id': bad })
    t.equal(headers.get('client-request-id'), null, bad.slice(0, 10))
  }
})

t.test('GET /livez and GET /readyz need no authentication', async t => {
  const { get, url } = await world(t, { authenticate: () => Promise.reject(new Error('nobody')) })
  t.match(await get('/livez'), { status: 200, body: { status: 'alive' } })
  t.match(await get('/readyz'), { status: 200, body: { status: 'ready' } })
  t.match(await request(`${url}/livez`, { method: 'HEAD' }), { status: 200 })
})

t.test('an unexpected error is 500 InternalError and shows nothing of itself', async t => {
  for (const reason of [
    new Error('a secret detail'),
    'a secret detail',
    Object.assign(new Error('x'), { statusCode: 418 }),
  ]) {
    const { get, log } = await world(t, { authenticate: () => Promise.reject(reason) })
    const reply = await get(`/sessions/${guid}/prompts/${guid}/promptbook`)
    t.match(reply, { status: 500, body: { error: { code: 'InternalError' } } })
    t.notOk(JSON.stringify(reply.body).includes('secret'))
    t.ok(log.some(line => line.includes('"InternalError"')))
  }
})

t.test('no path yields a 5xx nor a call to Graph', async t => {
  const { url, calls } = await world(t)
  const segment = fc.oneof(
    fc.constantFrom('sessions', 'prompts', 'evaluations', 'result', guid),
    fc.webSegment(),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(segment),
      fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS'),
      async (segments, method) => {
        const path = `/${segments.join('/')}`
        // The root leads to the reference.
        fc.pre(/[^/]/.test(path))
        const { status, body } = await request(url + path, { method })
        return status >= 400 && status < 500 && typeof body.error.message === 'string'
      },
    ),
    { numRuns: lawRuns(0.15) },
  )
  t.same(calls, [])
})

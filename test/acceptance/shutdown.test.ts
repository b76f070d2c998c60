import { once } from 'node:events'
import { Agent, request as send } from 'node:http'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import { callerOf } from '../helpers/callers.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { request, world } from '../helpers/world.ts'

const stopping = { status: 503, body: { error: { code: 'ShuttingDown' } } }

t.test('when the service stops', async t => {
  await t.test('readiness fails and liveness does not', async t => {
    const w = await world(t)
    t.match(await w.get('/readyz'), { status: 200, body: { status: 'ready' } })
    w.stop()
    t.match(await w.get('/readyz'), stopping)
    t.match(await w.get('/livez'), { status: 200, body: { status: 'alive' } })
  })

  await t.test(
    'new calls are refused before anything is asked of anybody, and told when to try again',
    async t => {
      const w = await world(t, { authenticate: () => Promise.reject(new Error('nobody is asked')) })
      w.stop()
      const reply = await w.post('/process-prompt', { PromptContent: 'Hello' })
      t.match(reply, stopping)
      t.equal(reply.headers.get('retry-after'), '2')
      t.equal(reply.headers.get('connection'), 'close')
      t.match(await w.get('/sessions/x/prompts/x/promptbook'), stopping)
      t.same(w.calls, [])
    },
  )

  await t.test('a held Submit is answered 202 at once, with where to hear the rest', async t => {
    let polled = (): void => undefined
    const polling = new Promise<void>(resolve => {
      polled = resolve
    })
    const w = await world(t, {
      beforeGraph: async (method, url) =>
        /evaluations\/./.test(url) && method === 'GET' && polled(),
    })
    const held = w.post('/process-prompt', { PromptContent: 'Hello [sim:state=pending]' })
    await polling
    w.stop()
    const reply = await held
    t.match(reply, { status: 202, body: { evaluationState: /Created|Pending/ } })
    t.match(reply.headers.get('location'), /\/result$/)
  })

  await t.test('a Submit that was let in before is run, and not held', async t => {
    let arrived = (): void => undefined
    const arriving = new Promise<void>(resolve => {
      arrived = resolve
    })
    const gate = Promise.withResolvers<void>()
    const w = await world(t, {
      beforeGraph: async (_method, url) => {
        arrived()
        return url.endsWith('/sessions') ? gate.promise : undefined
      },
    })
    const submitted = w.post('/process-prompt', { PromptContent: 'Hello' })
    await arriving
    w.stop()
    gate.resolve()
    t.match(await submitted, { status: 202, body: { evaluationState: 'Created' } })
    t.same(w.calls, ['createSession', 'createPrompt', 'createEvaluation'])
  })

  await t.test('whoever is still under way when the process must go is answered', async t => {
    let arrived = 0
    const all = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    t.teardown(() => gate.resolve())
    const w = await world(t, {
      beforeGraph: async method => {
        if (method !== 'GET') return
        arrived += 1
        if (arrived === 4) all.resolve()
        await gate.promise
      },
    })
    const { body } = await w.post(
      '/process-prompt',
      { PromptContent: 'Hello' },
      { prefer: 'respond-async' },
    )
    const path = `/sessions/${body.sessionId}/prompts/${body.promptId}`
    const asked = [
      `${path}/evaluations/${body.evaluationId}`,
      `${path}/promptbook`,
      '/connection',
      `${path}/evaluations/${body.evaluationId}/answer?as=html`,
    ].map(one => w.get(one))
    await all.promise
    w.stop()
    w.cut()
    for (const reply of await Promise.all(asked)) t.match(reply, stopping)
  })

  await t.test('a Submit whose caller is still being looked at is run too', async t => {
    const arrival = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const w = await world(t, {
      authenticate: async () => {
        arrival.resolve()
        await gate.promise
        return callerOf('alice')
      },
    })
    const submitted = w.post('/process-prompt', { PromptContent: 'Hello' })
    await arrival.promise
    w.stop()
    gate.resolve()
    t.match(await submitted, { status: 202, body: { evaluationState: 'Created' } })
  })

  await t.test('a caller that keeps its connection hears it in our words to the last', async t => {
    const w = await world(t)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    const ask = async () => {
      const [answer] = await once(
        send(`${w.url}/sessions/x/prompts/x/promptbook`, { agent }).end(),
        'response',
      )
      const chunks = await answer.toArray()
      return { status: answer.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) }
    }
    t.match(await ask(), { status: 400 })
    w.stop()
    t.match(await ask(), stopping)
  })
})

t.test('GET /readyz', async t => {
  await t.test('stays ready while a store that took a write once is away', async t => {
    const redis = await redisServer(t)
    const w = await world(t, { env: { REDIS_URL: redis.url } })
    t.equal((await w.get('/readyz')).status, 200)
    redis.freeze()
    t.equal((await w.get('/readyz')).status, 200)
    t.equal((await w.get('/livez')).status, 200)
    redis.thaw()
    t.equal((await w.get('/readyz')).status, 200)
  })

  await t.test('does not ask Graph, and fails by any check', async t => {
    const check = () =>
      Promise.reject(new ConnectorError('StoreUnavailable', 'Cannot take calls: a test'))
    const w = await world(t, { checks: [async () => undefined, check] })
    t.match(await w.get('/readyz'), { status: 503, body: { error: { code: 'StoreUnavailable' } } })
    t.same(w.calls, [])
  })
})

t.test('slow clients', async t => {
  const serverLimits = { headersTimeoutMs: 300, requestTimeoutMs: 400, checkIntervalMs: 50 }

  /** Opens connections that begin a request and do not go on with it. */
  async function stall(url: string, count: number, bytes: string): Promise<Socket[]> {
    const port = Number(new URL(url).port)
    return Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        await once(socket, 'connect')
        socket.write(bytes)
        return socket
      }),
    )
  }
  const answerOf = async (socket: Socket): Promise<string> => {
    const chunks: Buffer[] = []
    socket.on('data', chunk => chunks.push(chunk))
    await once(socket, 'close')
    return Buffer.concat(chunks).toString()
  }

  await t.test('do not starve others, and are cut off', async t => {
    const { url, start } = await world(t, { serverLimits })
    const slow = await stall(url, 300, 'POST /process-prompt HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    const answers = Promise.all(slow.map(answerOf))
    t.equal((await start('Hello')).status, 202)
    for (const answer of await answers)
      t.match(answer, /^HTTP\/1.1 400 [^]*"code":"InvalidRequest"/)
  })

  await t.test('are cut off in the middle of a body too', async t => {
    const { url } = await world(t, { serverLimits })
    const head =
      'POST /process-prompt HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{'
    const [socket] = await stall(url, 1, head)
    t.match(await answerOf(socket as Socket), /^HTTP\/1.1 400 /)
  })

  await t.test('cannot have more connections than the service bears', async t => {
    const { url } = await world(t, { serverLimits: { maxConnections: 10 } })
    const ten = await stall(url, 10, 'GET /livez HTTP/1.1\r\n')
    await t.rejects(request(`${url}/livez`))
    for (const socket of ten) socket.destroy()
  })
})

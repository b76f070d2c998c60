import type { RequestListener } from 'node:http'
import t, { type Test } from 'tap'
import { createGraphClient } from '../../src/graph/client.ts'
import { createGraphRequest } from '../../src/graph/request.ts'
import { createOutbound } from '../../src/outbound.ts'
import { callerOf, contextOf } from '../helpers/callers.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { stub } from '../helpers/stub.ts'

const guid = '11111111-1111-4111-8111-111111111111'
const ids = { sessionId: guid, promptId: guid, evaluationId: guid }
const { createDispatcher } = createOutbound({})
const alice = contextOf(callerOf('alice'))

const evaluation = {
  id: guid,
  createdDateTime: '2026-01-05T09:00:00.07343Z',
  runStartDateTime: '0001-01-01T00:00:00Z',
  lastModifiedDateTime: '2026-01-05T09:00:00Z',
  state: 'created',
  result: null,
}

/** A client on an upstream of its own. */
async function client(t: Test, answer: RequestListener, limits = {}) {
  const baseUrl = `${await stub(t, answer)}/beta`
  const { send, close } = createGraphRequest({
    baseUrl,
    clock: leapingClock(),
    createDispatcher,
    ...limits,
  })
  t.teardown(close)
  return createGraphClient({ send, baseUrl, workspaceId: 'default' })
}

const json =
  (body: unknown): RequestListener =>
  (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  }

t.test('a call to Graph', async t => {
  await t.test('carries the token, the media types and a fresh client-request-id', async t => {
    const seen: Record<string, unknown>[] = []
    const graph = await client(t, (request, response) => {
      seen.push({ url: request.url, method: request.method, ...request.headers })
      json(evaluation)(request, response)
    })

    await graph.createEvaluation(alice, ids)
    await graph.getEvaluation(alice, ids)

    const path = `/beta/security/securityCopilot/workspaces/default/sessions/${guid}/prompts/${guid}/evaluations`
    t.match(seen, [
      {
        method: 'POST',
        url: path,
        authorization: 'Bearer token-of-alice',
        accept: 'application/json',
        'content-type': 'application/json',
        'client-request-id': /^[0-9a-f-]{36}$/,
      },
      { method: 'GET', url: `${path}/${guid}`, 'client-request-id': /^[0-9a-f-]{36}$/ },
    ])
    t.equal(seen[1]?.['content-type'], undefined)
    t.not(seen[0]?.['client-request-id'], seen[1]?.['client-request-id'])
  })

  await t.test('reads what it needs and leaves the rest', async t => {
    const graph = await client(
      t,
      json({ ...evaluation, state: 'someday', surprise: [1], result: { type: 'new' } }),
    )
    t.same(await graph.getEvaluation(alice, ids), {
      id: guid,
      createdDateTime: evaluation.createdDateTime,
      lastModifiedDateTime: evaluation.lastModifiedDateTime,
      state: 'someday',
      result: { type: 'new', content: null },
    })
  })

  await t.test('reads a prompt without content or skill', async t => {
    const graph = await client(
      t,
      json({ id: guid, createdDateTime: '2026-01-05T09:00:00Z', content: null }),
    )
    t.match(await graph.getPrompt(alice, ids), { content: '', skillName: null })
  })

  const unreadable: [string, RequestListener][] = [
    ['is not JSON', (_request, response) => response.end('<html>')],
    ['is empty', (_request, response) => response.end()],
    ['has another shape', json({ id: 42 })],
    ['has an id that is no GUID', json({ ...evaluation, id: 'default' })],
    ['has no state', json({ ...evaluation, state: undefined })],
    [
      'is a redirect',
      (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end(),
    ],
    ['is too long', json({ ...evaluation, filler: 'x'.repeat(5000) })],
  ]
  for (const [how, answer] of unreadable) {
    await t.test(`is GraphInvalidResponse when the answer ${how}`, async t => {
      let calls = 0
      const graph = await client(
        t,
        (request, response) => {
          calls += 1
          answer(request, response)
        },
        { maxBodyBytes: 4000 },
      )
      await t.rejects(graph.getEvaluation(alice, ids), {
        code: 'GraphInvalidResponse',
        status: 502,
        message: /^Cannot read the evaluation: /,
      })
      t.equal(calls, 1)
    })
  }

  await t.test('is GraphTimeout when nothing comes in time, or not the whole', async t => {
    const late: RequestListener[] = [
      () => undefined,
      (_request, response) => response.write('{"id":'),
    ]
    for (const answer of late) {
      const graph = await client(t, answer, { timeoutMs: 30 })
      await t.rejects(graph.getEvaluation(alice, ids), { code: 'GraphTimeout', status: 504 })
    }
  })

  await t.test('is GraphUnavailable when the connection breaks or nobody listens', async t => {
    const graph = await client(t, request => request.socket.destroy())
    await t.rejects(graph.getEvaluation(alice, ids), {
      code: 'GraphUnavailable',
      shown: { retryAfterSeconds: 10 },
    })

    const { send, close } = createGraphRequest({
      baseUrl: 'http://127.0.0.1:1/beta',
      clock: leapingClock(),
      createDispatcher,
    })
    t.teardown(close)
    const nobody = createGraphClient({
      send,
      baseUrl: 'http://127.0.0.1:1/beta',
      workspaceId: 'default',
    })
    await t.rejects(nobody.getEvaluation(alice, ids), { code: 'GraphUnavailable', status: 503 })
  })

  await t.test('gives the token back when Graph refuses it, and only then', async t => {
    for (const [status, dropped] of [
      [401, 1],
      [403, 0],
      [500, 0],
    ] as const) {
      const caller = callerOf('alice')
      const graph = await client(t, (_request, response) => response.writeHead(status).end())
      await t.rejects(graph.getEvaluation(contextOf(caller), ids))
      t.equal(caller.dropped, dropped)
    }
  })

  await t.test('is not made when there is no token', async t => {
    const graph = await client(t, () => t.fail('Graph was called'))
    const nobody = contextOf(callerOf('x', () => Promise.reject(new Error('no token'))))
    await t.rejects(graph.getEvaluation(nobody, ids), { message: 'no token' })
  })
})

t.test('a list', async t => {
  await t.test('is refused when a page lies elsewhere', async t => {
    const graph = await client(
      t,
      json({ value: [], '@odata.nextLink': 'https://evil.example/beta/x' }),
    )
    await t.rejects(graph.listPlugins(alice), { code: 'GraphInvalidResponse' })
  })

  await t.test('is refused after 100 pages, not cut short', async t => {
    let pages = 0
    const graph = await client(t, (request, response) => {
      pages += 1
      json({
        value: [],
        '@odata.nextLink': `http://${request.headers.host}${request.url?.replace(/\?.*/, '')}?page=${pages}`,
      })(request, response)
    })
    await t.rejects(graph.listPrompts(alice, ids), {
      code: 'GraphInvalidResponse',
      message: /more than 100 pages/,
    })
    t.equal(pages, 100)
  })
})

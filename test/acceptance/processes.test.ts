import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { environmentVariables } from '../helpers/environment.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering, runProcess } from '../helpers/process.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { request } from '../helpers/world.ts'

const json = { 'content-type': 'application/json' }

t.test('npm run sandbox', async t => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const sandbox = runProcess(t, 'src/sandbox/main.ts', {
    PORT: String(port),
    ENTRA_CLIENT_SECRET_FILE: '/nowhere',
  })
  await answering(`${url}/livez`)

  await t.test('answers a prompt without credentials, and marks every answer', async t => {
    const body = JSON.stringify({ PromptContent: 'Who signed in? [sim:seconds=0]' })
    const submitted = await request(`${url}/process-prompt`, {
      method: 'POST',
      headers: json,
      body,
    })
    t.match(submitted, {
      status: 200,
      body: {
        evaluationState: 'Completed',
        EvaluationResultContent: /^SIMULATED ANSWER: no AI was called/,
      },
    })
    const replies = [submitted, await request(`${url}/livez`), await request(`${url}/nowhere`)]
    for (const { headers } of replies) t.equal(headers.get('x-sandbox'), 'true')
  })

  await t.test('shows a refused token', async t => {
    const body = JSON.stringify({ PromptContent: 'Hello [sim:createSession=401]' })
    const reply = await request(`${url}/process-prompt`, { method: 'POST', headers: json, body })
    t.match(reply, {
      status: 502,
      body: { error: { code: 'GraphError', innerError: { graph: { status: 401 } } } },
    })
  })

  await t.test('hands out addresses that can be followed', async t => {
    const body = JSON.stringify({ PromptContent: 'Hello' })
    const headers = { ...json, prefer: 'respond-async' }
    const accepted = await request(`${url}/process-prompt`, { method: 'POST', headers, body })
    t.equal(accepted.status, 202)
    const location = accepted.headers.get('location') ?? ''
    t.match(await request(location, { headers: { prefer: 'respond-async' } }), { status: 202 })
    t.match(await request(accepted.headers.get('operation-location') ?? ''), { status: 200 })
  })

  await t.test('does not take credentials for its own connection', async t => {
    const headers = { ...json, authorization: 'Bearer x' }
    const reply = await request(`${url}/process-prompt`, {
      method: 'POST',
      headers,
      body: '{"PromptContent":"x"}',
    })
    t.match(reply, { status: 401, body: { error: { code: 'InvalidToken' } } })
  })

  await t.test(
    'knows an app that calls as a service principal, by its own secret only',
    async t => {
      const submit = (secret: string) =>
        request(`${url}/process-prompt`, {
          method: 'POST',
          headers: {
            ...json,
            'x-entra-tenant-id': '5a4db0c5-0000-4000-8000-0000000000aa',
            'x-entra-client-id': '5a4db0c5-0000-4000-8000-0000000000ac',
            'x-entra-client-secret': secret,
          },
          body: JSON.stringify({ PromptContent: 'Hello [sim:seconds=0]' }),
        })
      t.match(await submit('sandbox-secret'), {
        status: 200,
        body: { evaluationState: 'Completed' },
      })
      t.match(await submit('guess'), {
        status: 401,
        body: { error: { code: 'InvalidClientCredentials' } },
      })
    },
  )

  await t.test('says in its log that no AI is called', async t => {
    t.match(sandbox.output(), /no AI is called/)
  })

  await t.test('ends on SIGTERM with code 0, answering whom it holds', async t => {
    const body = JSON.stringify({ PromptContent: 'Hello [sim:state=pending]' })
    const held = request(`${url}/process-prompt`, { method: 'POST', headers: json, body })
    // Nothing outside tells when the request is held: loopback needs a few ms, so a moment is left
    // for it.
    await wait(100)
    sandbox.child.kill('SIGTERM')

    t.match(await held, { status: 202, body: { evaluationState: /Created|Pending/ } })
    t.match(await sandbox.exit, { code: 0 })
  })
})

t.test('npm start', async t => {
  await t.test('serves from the environment', async t => {
    const port = await freePort()
    const service = runProcess(t, 'src/server.ts', { ...environmentVariables, PORT: String(port) })
    await answering(`http://127.0.0.1:${port}/livez`)

    const headers = { ...json, authorization: 'Bearer x' }
    const init = { method: 'POST', headers, body: '{"PromptContent":"x"}' }
    const reply = await request(`http://127.0.0.1:${port}/process-prompt`, init)
    t.match(reply, { status: 401, body: { error: { code: 'InvalidToken' } } })
    t.equal(reply.headers.get('x-sandbox'), null)

    service.child.kill('SIGINT')
    t.match(await service.exit, { code: 0 })
  })

  await t.test('shares its limits through Redis', async t => {
    const redis = await redisServer(t)
    const [one, two] = [await freePort(), await freePort()]
    const env = { RATE_LIMIT_CALLS: '3', REDIS_URL: redis.url }
    // Sandboxes, whose calls need no credentials, are one connection.
    for (const port of [one, two])
      runProcess(t, 'src/sandbox/main.ts', { ...env, PORT: String(port) })
    for (const port of [one, two]) await answering(`http://127.0.0.1:${port}/livez`)
    const statuses = []
    for (const port of [one, two, one, two]) {
      const reply = await request(`http://127.0.0.1:${port}/sessions/x/prompts/x/promptbook`)
      statuses.push(reply.status)
    }
    t.same(statuses, [400, 400, 400, 429])
  })

  await t.test('stops with code 1 and one message that names every bad variable', async t => {
    const { code, output } = await runProcess(t, 'src/server.ts', {
      PORT: 'x',
      ENTRA_CLIENT_SECRET: 'hunter2',
    }).exit
    t.equal(code, 1)
    t.match(
      output,
      /^Cannot read the configuration: .*PORT.*ENTRA_TENANT_ID is required.*ENTRA_CLIENT_ID is required\n$/,
    )
    t.notOk(output.includes('hunter2'))
  })

  await t.test('warns of an http address at which others reach it', async t => {
    const port = await freePort()
    const service = runProcess(t, 'src/server.ts', {
      ...environmentVariables,
      PUBLIC_URL: 'http://copilot.example',
      PORT: String(port),
    })
    await answering(`http://127.0.0.1:${port}/livez`)
    while (!service.output().includes('Server listening')) await wait(10)
    t.match(service.output(), /"level":40,.*configuration: PUBLIC_URL is http: /)
  })
})

import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { evaluationPath, world, type World } from '../helpers/world.ts'

/** The lines of answered requests. */
const lines = ({ log }: World): any[] =>
  log.map(text => JSON.parse(text)).filter(({ msg }) => msg === 'request')

t.test('the line of a request', async t => {
  await t.test('tells what Submit did, by counts and ids', async t => {
    const w = await world(t)
    const { body } = await w.start('Hello')
    const [line] = lines(w)
    t.match(line, {
      connection: 'alice',
      method: 'POST',
      route: '/process-prompt',
      status: 202,
      durationMs: Number,
      graphCalls: 3,
      graphMs: Number,
      graphRequestId: /^[0-9a-f-]{36}$/,
      sessionId: body.sessionId,
      promptId: body.promptId,
      evaluationId: body.evaluationId,
      traceId: /^[0-9a-f]{32}$/,
      reqId: /^[0-9a-f-]{36}$/,
    })
    t.notOk('code' in line)
  })

  await t.test('tells the ids in the path of a poll', async t => {
    const w = await world(t)
    const submitted = await w.start('Hello')
    await w.get(evaluationPath(submitted))
    const { sessionId, promptId, evaluationId } = submitted.body
    t.match(lines(w)[1], { status: 200, graphCalls: 1, sessionId, promptId, evaluationId })
  })

  await t.test('tells no id that is none', async t => {
    const w = await world(t)
    await w.get('/sessions/canary/prompts/canary/promptbook')
    t.match(lines(w)[0], { status: 400, code: 'InvalidRequest', graphCalls: 0 })
    t.notMatch(w.log.join(''), /canary/)
  })

  await t.test(
    'tells what exists already when Submit fails, and that Graph did not answer',
    async t => {
      const w = await world(t)
      const { body } = await w.start('[sim:createPrompt=403] Hello')
      t.match(lines(w)[0], {
        status: 403,
        code: 'GraphForbidden',
        sessionId: body.sessionId,
        graphCalls: 2,
      })
      const lost = await world(t, { graphUrl: 'http://127.0.0.1:1/beta' })
      await lost.start('Hello')
      t.match(lines(lost)[0], { status: 503, code: 'GraphUnavailable', graphCalls: 4 })
    },
  )

  await t.test(
    'is written for a caller that hung up, as 499, with the ids of what was created',
    async t => {
      const gate = Promise.withResolvers<void>()
      let asked = (): void => undefined
      const asking = new Promise<void>(resolve => {
        asked = resolve
      })
      const w = await world(t, {
        beforeGraph: async () => {
          asked()
          await gate.promise
        },
      })
      const socket = connect(Number(new URL(w.url).port), '127.0.0.1')
      const body = '{"PromptContent":"Hello"}'
      socket.write(
        `POST /process-prompt HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      )
      await asking
      socket.destroy()
      await once(socket, 'close')
      t.same(lines(w), [], 'what goes on for it is not done')
      gate.resolve()
      while (lines(w).length === 0) await new Promise(resolve => setImmediate(resolve))
      t.match(lines(w)[0], {
        status: 499,
        route: '/process-prompt',
        sessionId: /./,
        promptId: /./,
        evaluationId: /./,
      })
      t.equal(w.calls.filter(call => call === 'createEvaluation').length, 1)
    },
  )
})

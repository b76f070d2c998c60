import t from 'tap'
import { evaluationResult, operationStatus } from '../../src/routes/schemas.ts'
import { evaluationPath, world, type World } from '../helpers/world.ts'

const nowhere = 'ffffffff-ffff-4fff-8fff-ffffffffffff'

/** Result types of Graph and the connector's spelling; the last one is not known today. */
const resultTypes = [
  ['success', 'Success'],
  ['error', 'Error'],
  ['rejected', 'Rejected'],
  ['timedOut', 'TimedOut'],
  ['capacityExceeded', 'CapacityExceeded'],
  ['needAdditionalClaims', 'NeedAdditionalClaims'],
  ['unknown', 'Unknown'],
  ['unknownFutureValue', 'UnknownFutureValue'],
  ['partlyDone', 'PartlyDone'],
] as const

/** States that do not end, and the connector's spelling; the last one is not known today. */
const openStates = [
  ['pending', 'Pending'],
  ['deferred', 'Deferred'],
  ['waitingForInput', 'WaitingForInput'],
  ['unknown', 'Unknown'],
  ['beingReviewed', 'BeingReviewed'],
] as const

/** Submits a prompt, lets `seconds` pass and returns the path of its evaluation. */
async function started({ start, clock }: World, content: string, seconds = 0): Promise<string> {
  const path = evaluationPath(await start(content))
  clock.advance(seconds * 1000)
  return path
}

t.test('GET …/evaluations/{evaluationId}', async t => {
  await t.test('answers 200 with the state while it runs, and once it ended', async t => {
    const w = await world(t)
    const path = await started(w, 'Who signed in?')

    const states = []
    for (const seconds of [0, 1, 16]) {
      w.clock.advance(seconds * 1000)
      const { status, body, headers } = await w.get(path)
      t.equal(status, 200)
      t.equal(headers.get('location'), null)
      t.ok(evaluationResult.safeParse(body).success)
      states.push([
        body.evaluationState,
        body.evaluationResultType,
        body.EvaluationResultContent === null,
      ])
    }

    t.same(states, [
      ['Created', 'Unknown', true],
      ['Running', 'Unknown', true],
      ['Completed', 'Success', false],
    ])
  })

  await t.test('spells every result type as the connector does, with its content', async t => {
    const w = await world(t)
    for (const [graph, connector] of resultTypes) {
      const { status, body } = await w.get(await started(w, `Hello [sim:result=${graph}]`, 20))
      t.equal(status, 200)
      t.match(body, {
        evaluationState: 'Completed',
        evaluationResultType: connector,
        EvaluationResultContent: /^SIMULATED/,
      })
    }
  })

  await t.test('spells every state as the connector does', async t => {
    const w = await world(t)
    for (const [graph, connector] of openStates) {
      const { status, body } = await w.get(await started(w, `Hello [sim:state=${graph}]`, 20))
      t.equal(status, 200)
      t.match(body, {
        evaluationState: connector,
        evaluationResultType: 'Unknown',
        EvaluationResultContent: null,
      })
    }
    const { body } = await w.get(await started(w, 'Hello [sim:state=cancelled]', 20))
    t.match(body, { evaluationState: 'Cancelled', evaluationResultType: 'Unknown' })
  })

  await t.test(
    'reads a prompt once for each connection, and the evaluation every time',
    async t => {
      const w = await world(t)
      const path = await started(w, 'Hello')
      w.calls.length = 0

      await w.get(path)
      await w.get(path)
      t.same(w.calls, ['getEvaluation', 'getEvaluation'])
    },
  )

  await t.test('reads the prompt of an evaluation that another replica created, once', async t => {
    const w = await world(t)
    const session = w.model.createSession('alice', 'Elsewhere')
    const prompt = w.model.createPrompt('alice', session.id, {
      type: 'prompt',
      content: '/AskGpt Hello',
    })
    const evaluation = w.model.createEvaluation('alice', session.id, prompt?.id ?? '')
    const path = `/sessions/${session.id}/prompts/${prompt?.id}/evaluations/${evaluation?.id}`

    const replies = await Promise.all([w.get(path), w.get(path)])
    await w.get(path)

    t.match(replies[0], {
      status: 200,
      body: { promptContent: '/AskGpt Hello', skillName: 'AskGpt' },
    })
    t.same(replies[1]?.body, replies[0]?.body)
    t.equal(w.calls.filter(call => call === 'getPrompt').length, 1)
    t.equal(w.calls.filter(call => call === 'getEvaluation').length, 3)
  })

  await t.test('never answers one connection from what another has read', async t => {
    const w = await world(t)
    const path = await started(w, 'A secret question')

    const reply = await w.get(path, { 'x-test-caller': 'mallory' })

    t.match(reply, { status: 404, body: { error: { code: 'EvaluationNotFound' } } })
    t.notOk(JSON.stringify(reply.body).includes('secret question'))
  })

  await t.test('answers EvaluationNotFound whichever id is unknown', async t => {
    const w = await world(t)
    const [, , session, , prompt, , evaluation] = (await started(w, 'Hello')).split('/')
    for (const ids of [
      [nowhere, prompt, evaluation],
      [session, nowhere, evaluation],
      [session, prompt, nowhere],
    ]) {
      const reply = await w.get(`/sessions/${ids[0]}/prompts/${ids[1]}/evaluations/${ids[2]}`)
      t.match(reply, { status: 404, body: { error: { code: 'EvaluationNotFound' } } })
    }
  })

  await t.test('answers PromptNotFound when only the prompt cannot be read', async t => {
    const w = await world(t)
    const session = w.model.createSession('alice', 'Elsewhere')
    const content = 'Hello [sim:getPrompt=404]'
    const prompt = w.model.createPrompt('alice', session.id, { type: 'prompt', content })
    const evaluation = w.model.createEvaluation('alice', session.id, prompt?.id ?? '')

    const reply = await w.get(
      `/sessions/${session.id}/prompts/${prompt?.id}/evaluations/${evaluation?.id}`,
    )

    t.match(reply, { status: 404, body: { error: { code: 'PromptNotFound' } } })
  })

  await t.test('takes ids in either case', async t => {
    const w = await world(t)
    const path = await started(w, 'Hello')
    const [, , session = '', , prompt = '', , evaluation = ''] = path.split('/')

    const upper = [session, prompt, evaluation].map(id => id.toUpperCase())
    const reply = await w.get(`/sessions/${upper[0]}/prompts/${upper[1]}/evaluations/${upper[2]}`)

    t.match(reply, { status: 200, body: { promptContent: 'Hello' } })
  })
})

t.test('GET …/evaluations/{evaluationId}/result', async t => {
  await t.test(
    'answers 202 with Location and Retry-After while it runs, 200 once it ended',
    async t => {
      const w = await world(t)
      const path = await started(w, 'Hello', 2)

      const running = await w.get(`${path}/result`)
      t.match(running, { status: 202, body: { evaluationState: 'Running' } })
      t.equal(running.headers.get('location'), `https://copilot.example${path}/result`)
      t.equal(running.headers.get('operation-location'), `https://copilot.example${path}/operation`)
      t.equal(running.headers.get('retry-after'), '2')

      w.clock.advance(20_000)
      const ended = await w.get(`${path}/result`)
      t.match(ended, {
        status: 200,
        body: { evaluationState: 'Completed', evaluationResultType: 'Success' },
      })
      t.equal(ended.headers.get('retry-after'), null)
    },
  )

  await t.test('answers 200 for an evaluation that was cancelled', async t => {
    const w = await world(t)
    const reply = await w.get(`${await started(w, '[sim:state=cancelled]', 20)}/result`)
    t.match(reply, { status: 200, body: { evaluationState: 'Cancelled' } })
  })

  await t.test('asks for longer waits the older the evaluation is, up to 20 s', async t => {
    const w = await world(t)
    const path = await started(w, '[sim:state=pending]')
    const waits = []
    for (const seconds of [0, 30, 30, 3600]) {
      w.clock.advance(seconds * 1000)
      waits.push((await w.get(`${path}/result`)).headers.get('retry-after'))
    }
    t.same(waits, ['2', '6', '10', '20'])
  })

  await t.test('waits for the end, as long as RESULT_WAIT_SECONDS or the caller says', async t => {
    const w = await world(t, { env: { RESULT_WAIT_SECONDS: '20' } })
    const began = w.clock.monotonic()
    t.match(await w.get(`${await started(w, 'Hello')}/result`), { status: 200 })
    t.ok(w.clock.monotonic() - began < 20_000)

    const path = await started(w, '[sim:state=pending]')
    const waited = async (headers = {}) => {
      const from = w.clock.monotonic()
      const reply = await w.get(`${path}/result`, headers)
      t.equal(reply.status, 202)
      return [w.clock.monotonic() - from, reply.headers.get('preference-applied')]
    }
    t.same(await waited(), [20_000, null])
    t.same(await waited({ prefer: 'wait=3' }), [3000, 'wait=3'])
    t.same(await waited({ prefer: 'respond-async' }), [0, 'respond-async'])
  })

  await t.test('sends a connector runtime on through itself', async t => {
    const w = await world(t)
    const path = await started(w, 'Hello')
    const prefix = 'https://x.azure-apim.net/apim/copilot/c1'
    const { headers } = await w.get(`${path}/result`, { 'x-ms-apim-referrer-prefix': prefix })
    t.equal(headers.get('location'), `${prefix}${path}/result`)
  })
})

t.test('GET …/evaluations/{evaluationId}/operation', async t => {
  await t.test('tells the status, with Retry-After until it ended', async t => {
    const w = await world(t)
    const path = await started(w, 'Hello')
    const evaluationId = path.split('/').at(-1)
    const seen = []
    for (const seconds of [0, 2, 20]) {
      w.clock.advance(seconds * 1000)
      const { status, body, headers } = await w.get(`${path}/operation`)
      t.equal(status, 200)
      t.ok(operationStatus.safeParse(body).success)
      t.match(body, { id: evaluationId, createdDateTime: '2026-01-05T09:00:00.0000002Z' })
      seen.push([
        body.status,
        headers.get('retry-after'),
        body.lastActionDateTime,
        body.result?.evaluationState,
      ])
    }
    t.same(seen, [
      ['NotStarted', '2', '2026-01-05T09:00:00.0000002Z', undefined],
      ['Running', '2', '2026-01-05T09:00:02.0009999Z', undefined],
      ['Succeeded', null, '2026-01-05T09:00:16.5000002Z', 'Completed'],
    ])
  })

  await t.test(
    'calls every result but success Failed, with the result type as the code',
    async t => {
      const w = await world(t)
      for (const [graph, connector] of resultTypes.slice(1)) {
        const { body } = await w.get(`${await started(w, `[sim:result=${graph}]`, 20)}/operation`)
        t.match(body, {
          status: 'Failed',
          error: { code: connector },
          result: { evaluationResultType: connector },
        })
        t.ok(operationStatus.safeParse(body).success)
      }
    },
  )

  await t.test(
    'calls every state that has not ended Running, and a cancelled one Canceled',
    async t => {
      const w = await world(t)
      for (const [graph] of openStates) {
        const { body, headers } = await w.get(
          `${await started(w, `[sim:state=${graph}]`, 20)}/operation`,
        )
        t.equal(body.status, 'Running')
        t.match(headers.get('retry-after'), /^\d$/)
      }
      const { body, headers } = await w.get(
        `${await started(w, '[sim:state=cancelled]', 20)}/operation`,
      )
      t.equal(body.status, 'Canceled')
      t.equal(headers.get('retry-after'), null)
    },
  )
})

import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { evaluationResult } from '../../src/routes/schemas.ts'
import { callerOf } from '../helpers/callers.ts'
import { request, world } from '../helpers/world.ts'

const sandboxPlugins = ['Entra', 'ThreatIntelligence.DTI']

t.test('POST /process-prompt', async t => {
  await t.test('opens a session when the caller names none', async t => {
    const { post, calls, model } = await world(t)

    const reply = await post('/process-prompt', { PromptContent: 'Who signed in today?' })

    t.equal(reply.status, 200)
    t.same(calls.slice(0, 4), [
      'createSession',
      'createPrompt',
      'createEvaluation',
      'getEvaluation',
    ])
    t.match(model.listSessions('alice'), [
      { id: reply.body.sessionId, displayName: 'Who signed in today?' },
    ])
  })

  await t.test(
    'answers an EvaluationResult with the keys as the connector spells them',
    async t => {
      const { post } = await world(t)

      const { body } = await post('/process-prompt', { PromptContent: 'Who signed in today?' })

      t.same(Object.keys(body), Object.keys(evaluationResult.shape))
      t.match(body, {
        skillName: null,
        promptContent: 'Who signed in today?',
        evaluationState: 'Completed',
        evaluationResultType: 'Success',
        EvaluationResultContent: /^SIMULATED ANSWER: no AI was called.*"Who signed in today\?"/s,
        nextPromptSuggestions: [],
      })
      t.ok(evaluationResult.safeParse(body).success)
    },
  )

  await t.test('names the session by the first line that shows something', async t => {
    const { start, model } = await world(t)
    for (const before of ['\u200B\n', '\u3164 \n\n', '\u2060\u00AD\r\n', '\u200B'.repeat(90)]) {
      const { body } = await start(`${before}Hello \nWorld`)
      t.equal(model.getSession('alice', body.sessionId)?.displayName, 'Hello')
    }
  })

  await t.test('goes on in the session that the caller names', async t => {
    const { post, calls } = await world(t)
    const first = await post('/process-prompt', { PromptContent: 'One' })
    calls.length = 0

    const second = await post('/process-prompt', {
      PromptContent: 'Two',
      SessionId: first.body.sessionId.toUpperCase(),
    })

    t.notOk(calls.includes('createSession'))
    t.match(second.body.EvaluationResultContent, /^Prompt 2 of its session/m)
  })

  await t.test('takes null and empty string for what is left out', async t => {
    for (const absent of [null, '']) {
      const { start, calls } = await world(t)
      const reply = await start('Hello', {
        SessionId: absent,
        Skillsets: absent,
        SkillName: absent,
        SkillInputs: absent,
      })
      t.equal(reply.status, 202, JSON.stringify(absent))
      t.same(calls, ['createSession', 'createPrompt', 'createEvaluation'])
    }
  })

  await t.test('writes a skill and its inputs into the content', async t => {
    const { start, model } = await world(t)

    const { body } = await start('Summarise this', {
      SkillName: 'AskGpt',
      SkillInputs: { incident: 42, urgent: true, note: 'line' },
    })

    t.equal(body.promptContent, '/AskGpt Summarise this\nincident: 42\nurgent: true\nnote: line')
    t.equal(body.skillName, 'AskGpt')
    t.equal(model.getSession('alice', body.sessionId)?.displayName, 'Summarise this')
  })

  await t.test('sends the skill by name in SKILL_MODE=native', async t => {
    const { start, model } = await world(t, {
      env: { SKILL_MODE: 'native' },
      simulator: { skills: true },
    })

    const { body } = await start('Summarise this', {
      SkillName: 'AskGpt',
      SkillInputs: { incident: 42 },
    })

    t.match(model.getPrompt('alice', body.sessionId, body.promptId), {
      type: 'skill',
      content: 'Summarise this',
      skillName: 'AskGpt',
      inputs: { keyValuePairs: [{ name: 'incident', value: '42' }] },
    })
    t.match(body, { promptContent: 'Summarise this', skillName: 'AskGpt' })
  })

  await t.test('accepts plugins that are enabled', async t => {
    const { start, calls } = await world(t)

    const reply = await start('Hello', { Skillsets: sandboxPlugins })

    t.equal(reply.status, 202)
    t.same(calls, ['listPlugins', 'createSession', 'createPrompt', 'createEvaluation'])
  })

  await t.test(
    'refuses plugins that are not enabled, by name, before anything is created',
    async t => {
      const { start, calls } = await world(t)

      const reply = await start('Hello', { Skillsets: ['Entra', 'Intune', 'Nonsense'] })

      t.equal(reply.status, 400)
      t.same(calls, ['listPlugins'])
      t.match(reply.body.error, {
        code: 'PluginNotEnabled',
        message: /"Intune", "Nonsense"/,
        target: 'Skillsets',
        details: [{ target: 'Skillsets[1]' }, { target: 'Skillsets[2]' }],
      })
    },
  )

  await t.test('reads the plugins at most once a minute for each connection', async t => {
    const { post, calls, clock } = await world(t)
    const submit = (caller: string) =>
      post(
        '/process-prompt',
        { PromptContent: 'Hello', Skillsets: ['Entra'] },
        { prefer: 'respond-async', 'x-test-caller': caller },
      )
    const reads = () => calls.filter(call => call === 'listPlugins').length

    await Promise.all([submit('alice'), submit('alice')])
    t.equal(reads(), 1)
    await submit('bob')
    t.equal(reads(), 2)
    clock.advance(59_000)
    await submit('alice')
    t.equal(reads(), 2)
    clock.advance(2000)
    await submit('alice')
    t.equal(reads(), 3)
  })

  await t.test('answers 200 as soon as the evaluation ends', async t => {
    const { post, clock } = await world(t)
    const began = clock.now()

    const reply = await post('/process-prompt', { PromptContent: 'Hello' })

    t.equal(reply.status, 200)
    t.ok(clock.now() - began >= 16_500)
    t.ok(clock.now() - began < 20_000)
  })

  await t.test('holds for SUBMIT_WAIT_SECONDS, then answers 202', async t => {
    const { post, clock } = await world(t, { env: { SUBMIT_WAIT_SECONDS: '7' } })
    const began = clock.now()

    const reply = await post('/process-prompt', { PromptContent: 'Hello' })

    t.equal(reply.status, 202)
    t.equal(clock.now() - began, 7000)
    t.equal(reply.body.evaluationState, 'Running')
    t.equal(reply.headers.get('preference-applied'), null)
  })

  await t.test('holds for 60 s when nobody says otherwise', async t => {
    const { post, clock } = await world(t)
    const began = clock.now()

    const reply = await post('/process-prompt', { PromptContent: 'Hello [sim:state=deferred]' })

    t.equal(reply.status, 202)
    t.equal(clock.now() - began, 60_000)
    t.equal(reply.body.evaluationState, 'Deferred')
  })

  await t.test('waits as long as Prefer says', async t => {
    const cases: [string, number, string | null][] = [
      ['wait=5', 5000, 'wait=5'],
      ['wait=500', 100_000, 'wait=100'],
      ['respond-async', 0, 'respond-async'],
      ['respond-async, wait=3', 3000, 'respond-async, wait=3'],
      ['wait=soon', 60_000, null],
      ['wait=-1', 60_000, null],
    ]
    for (const [prefer, heldMs, applied] of cases) {
      const { post, clock } = await world(t)
      const began = clock.now()
      const reply = await post(
        '/process-prompt',
        { PromptContent: '[sim:state=pending]' },
        { prefer },
      )
      t.equal(reply.status, 202, prefer)
      t.equal(clock.now() - began, heldMs, prefer)
      t.equal(reply.headers.get('preference-applied'), applied, prefer)
    }
  })

  await t.test(
    'answers 202 with ids, state, Retry-After, Location and Operation-Location',
    async t => {
      const { start } = await world(t)

      const { body, headers } = await start('Hello')

      t.match(body, {
        evaluationState: 'Created',
        evaluationResultType: 'Unknown',
        EvaluationResultContent: null,
      })
      t.equal(headers.get('retry-after'), '2')
      const evaluation = `https://copilot.example/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`
      t.equal(headers.get('location'), `${evaluation}/result`)
      t.equal(headers.get('operation-location'), `${evaluation}/operation`)
    },
  )

  await t.test('sends a connector runtime back to itself, and nobody elsewhere', async t => {
    const { post } = await world(t)
    const prefix = 'https://europe-002.azure-apihub.net/apim/copilot/c1'
    const submit = async (headers: Record<string, string>) => {
      const reply = await post(
        '/process-prompt',
        { PromptContent: 'Hello' },
        { prefer: 'respond-async', ...headers },
      )
      return reply.headers.get('location')?.replace(/\/sessions\/.*/, '')
    }

    t.equal(await submit({ 'x-ms-apim-referrer-prefix': prefix }), prefix)
    t.equal(await submit({ 'x-ms-apim-referrer': `${prefix}/process-prompt?x=1` }), prefix)
    t.equal(
      await submit({ 'x-ms-apim-referrer-prefix': 'https://evil.example/apim/a/b' }),
      'https://copilot.example',
    )
    for (const strange of ['https://.azure-apim.net/apim/a/b', prefix.replaceAll('/', '\\')]) {
      t.equal(
        await submit({ 'x-ms-apim-referrer-prefix': strange }),
        'https://copilot.example',
        strange,
      )
    }
    t.equal(
      await submit({ 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }),
      'https://copilot.example',
    )
  })

  await t.test('a caller that disconnects stops the polling, not the evaluation', async t => {
    const { url, calls, clock, model } = await world(t)
    const gone = new AbortController()
    const reply = request(`${url}/process-prompt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ PromptContent: '[sim:state=pending]' }),
      signal: gone.signal,
    })
    while (!calls.includes('getEvaluation')) await wait(1)
    gone.abort()
    await t.rejects(reply, { name: 'AbortError' })
    // Past the moment the service hears of it, no further poll.
    await wait(30)
    const polls = calls.length
    clock.advance(60_000)
    await wait(30)

    t.equal(calls.length, polls)
    const session = model.listSessions('alice')[0]
    t.equal(model.listPrompts('alice', session?.id ?? '')?.length, 1)
  })

  await t.test(
    'does not poll for a caller that is gone before the answer could be held',
    async t => {
      const gone = new AbortController()
      const { url, calls } = await world(t, {
        authenticate: async () => {
          gone.abort()
          await wait(20)
          return callerOf('alice')
        },
      })

      await t.rejects(
        request(`${url}/process-prompt`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ PromptContent: '[sim:state=pending]' }),
          signal: gone.signal,
        }),
      )
      await wait(50)

      t.notOk(calls.includes('getEvaluation'))
    },
  )

  await t.test('answers held requests with 202 when the service stops', async t => {
    const { post, calls, close } = await world(t)
    const reply = post('/process-prompt', { PromptContent: '[sim:state=pending]' })
    while (!calls.includes('getEvaluation')) await wait(1)

    await close()

    t.match(await reply, { status: 202, body: { evaluationState: 'Pending' } })
  })

  await t.test(
    'a poll that fails ends the wait with 202, since the evaluation runs on',
    async t => {
      const { post, calls } = await world(t)

      const reply = await post('/process-prompt', {
        PromptContent: 'Hello [sim:getEvaluation=500]',
      })

      t.match(reply, { status: 202, body: { evaluationState: 'Created' } })
      t.equal(calls.filter(call => call === 'getEvaluation').length, 1)
    },
  )

  await t.test('an error after a session or prompt exists carries their ids', async t => {
    const { start, model } = await world(t)

    const atPrompt = await start('A [sim:createPrompt=500]')
    t.equal(atPrompt.status, 502)
    t.equal(atPrompt.body.sessionId, model.listSessions('alice')[0]?.id)
    t.notOk('promptId' in atPrompt.body)

    const atEvaluation = await start('B [sim:createEvaluation=403]')
    t.equal(atEvaluation.status, 403)
    const session = model.listSessions('alice')[0]?.id ?? ''
    t.equal(atEvaluation.body.sessionId, session)
    t.equal(atEvaluation.body.promptId, model.listPrompts('alice', session)?.[0]?.id)
  })

  await t.test('so does an error that nobody foresaw', async t => {
    const tokens = ['token-of-alice']
    const { start, model } = await world(t, {
      authenticate: async () =>
        callerOf('alice', async () => tokens.pop() ?? Promise.reject(new Error('unforeseen'))),
    })

    const reply = await start('Hello')

    t.match(reply, { status: 500, body: { error: { code: 'InternalError' } } })
    t.equal(reply.body.sessionId, model.listSessions('alice')[0]?.id)
  })

  await t.test('another caller’s session is not found', async t => {
    const { start, post } = await world(t)
    const { body } = await start('Hello')

    const reply = await post(
      '/process-prompt',
      { PromptContent: 'Hello', SessionId: body.sessionId },
      { 'x-test-caller': 'mallory' },
    )

    t.match(reply, { status: 404, body: { error: { code: 'SessionNotFound' } } })
  })
})

import t from 'tap'
import { evaluationPath, world } from '../helpers/world.ts'

t.test('GET …/evaluations/{evaluationId}/answer', async t => {
  await t.test('gives the answer as HTML, as text and as JSON, and spends nothing', async t => {
    const w = await world(t)
    const started = await w.start('Hello [sim:seconds=0]')
    const path = evaluationPath(started)
    const html = await w.get(`${path}/answer?as=html`)
    t.match(html, {
      status: 200,
      body: {
        sessionId: started.body.sessionId,
        promptId: started.body.promptId,
        evaluationId: started.body.evaluationId,
        evaluationState: 'Completed',
        evaluationResultType: 'Success',
        format: 'html',
        content: /^<p>SIMULATED ANSWER/,
      },
    })
    t.notOk('value' in html.body)
    const text = await w.get(`${path}/answer?as=text`)
    t.match(text.body, { format: 'text', content: /^SIMULATED ANSWER: no AI was called\./ })
    t.match(await w.get(`${path}/answer?as=json`), {
      status: 422,
      body: { error: { code: 'AnswerNotJson' } },
    })
    t.equal(w.calls.filter(call => call === 'createEvaluation').length, 1)
    t.equal(w.calls.filter(call => call === 'getEvaluation').length, 1, 'read once, remembered')
  })

  await t.test('gives the value of an answer that holds JSON', async t => {
    const w = await world(t)
    const answer = 'Here it is:\n```json\n{ "severity": "high", "hosts": ["a", "b"] }\n```\n'
    const encoded = Buffer.from(answer).toString('base64url')
    const path = evaluationPath(await w.start(`[sim:seconds=0] [sim:answer=${encoded}]`))
    t.match(await w.get(`${path}/answer?as=json`), {
      status: 200,
      body: {
        format: 'json',
        content: '{ "severity": "high", "hosts": ["a", "b"] }',
        value: { severity: 'high', hosts: ['a', 'b'] },
      },
    })
  })

  await t.test('is 200 without content while there is none', async t => {
    const w = await world(t)
    const path = evaluationPath(await w.start('[sim:state=pending]'))
    for (const as of ['html', 'text', 'json']) {
      t.match(await w.get(`${path}/answer?as=${as}`), {
        status: 200,
        body: { evaluationState: /./, format: as, content: null },
      })
    }
  })

  await t.test('refuses another form, or none', async t => {
    const w = await world(t)
    const path = evaluationPath(await w.start('Hello'))
    for (const query of ['', '?as=xml', '?as=', '?as=html&as=text']) {
      t.match(await w.get(`${path}/answer${query}`), {
        status: 400,
        body: { error: { code: 'InvalidRequest' } },
      })
    }
  })
})

t.test('GET /connection says who calls, and what is left, and spends no capacity', async t => {
  const w = await world(t, { env: { EVALUATIONS_PER_HOUR: '5' } })
  await w.start('Hello')
  const reply = await w.get('/connection')
  t.match(reply, {
    status: 200,
    body: {
      type: /./,
      tenantId: /./,
      identityId: /./,
      workspaceId: 'default',
      plugins: ['Entra', 'M365', 'ThreatIntelligence.DTI', 'Fusion'],
      allowance: { limit: 600, remaining: 598, resetSeconds: 60 },
      budget: { limit: 5, remaining: 4, resetSeconds: 3600 },
    },
  })
  t.equal(
    reply.headers.get('ratelimit-policy'),
    '"connection";q=600;w=60, "evaluations";q=5;w=3600',
  )
  t.equal(reply.headers.get('ratelimit'), '"connection";r=598;t=60, "evaluations";r=4;t=3600')
  t.equal(w.calls.filter(call => call === 'createEvaluation').length, 1)
  const bob = await w.get('/connection', { 'x-test-caller': 'bob' })
  t.match(bob.body, { budget: { remaining: 5, resetSeconds: 0 } })
})

t.test('GET /plugins lists the enabled ones, for the picker', async t => {
  const w = await world(t)
  const { status, body } = await w.get('/plugins')
  t.equal(status, 200)
  t.same(body.value[0], {
    name: 'Entra',
    displayName: 'Microsoft Entra',
    description: 'Skills that interact with the Microsoft Graph APIs.',
  })
  t.equal(body.value.length, 4)
})

t.test('EVALUATIONS_PER_HOUR', async t => {
  await t.test('bounds what an identity starts, before anything is created', async t => {
    const w = await world(t, { env: { EVALUATIONS_PER_HOUR: '2' } })
    await w.start('One')
    w.clock.advance(60_000)
    await w.start('Two')
    const calls = w.calls.length
    const refused = await w.start('Three')
    t.match(refused, { status: 429, body: { error: { code: 'BudgetExceeded' } } })
    t.equal(refused.headers.get('retry-after'), '3540')
    t.equal(w.calls.length, calls)
    w.clock.advance(3_540_000)
    t.equal((await w.start('Three')).status, 202)
  })

  await t.test(
    'counts what was created, and no replay, and nothing that failed before',
    async t => {
      const w = await world(t, { env: { EVALUATIONS_PER_HOUR: '2' } })
      const keyed = (key: string, content: string) =>
        w.post(
          '/process-prompt',
          { PromptContent: content },
          { 'idempotency-key': key, prefer: 'respond-async' },
        )
      t.equal((await keyed('a', '[sim:createEvaluation=403]')).status, 403)
      t.equal((await keyed('b', 'One')).status, 202)
      t.equal((await keyed('b', 'One')).status, 202)
      t.equal((await w.start('Two [sim:createEvaluation=lostx1]')).status, 202)
      t.equal((await w.start('Three')).status, 429)
    },
  )
})

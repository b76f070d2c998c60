import t, { type Test } from 'tap'
import { redisServer } from '../helpers/redis-server.ts'
import { evaluationPath, world, type World } from '../helpers/world.ts'

const submit = (w: World, content: string, headers: Record<string, string> = {}) =>
  w.post('/process-prompt', { PromptContent: content }, { prefer: 'respond-async', ...headers })
const attempts = ({ calls }: World, operation: string) =>
  calls.filter(call => call === operation).length

const engine = (run: string, action: string) => ({
  'x-ms-workflow-run-id': run,
  'x-ms-action-tracking-id': action,
})

t.test('a platform that says which execution of which action calls', async t => {
  await t.test('spends nothing twice when it repeats by itself', async t => {
    const w = await world(t)
    const first = await submit(w, 'Hello', engine('r1', 'a1'))
    const again = await submit(w, 'Hello', engine('r1', 'a1'))
    t.equal(again.body.evaluationId, first.body.evaluationId)
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test('runs another action, another run, and another body', async t => {
    const w = await world(t)
    await submit(w, 'Hello', engine('r1', 'a1'))
    await submit(w, 'Hello', engine('r1', 'a2'))
    await submit(w, 'Hello', engine('r2', 'a1'))
    t.equal((await submit(w, 'Other', engine('r1', 'a1'))).status, 202)
    t.equal(attempts(w, 'createEvaluation'), 4)
  })

  await t.test('counts only with both headers, and less than a key of the caller', async t => {
    const w = await world(t)
    await submit(w, 'Hello', { 'x-ms-workflow-run-id': 'r1' })
    await submit(w, 'Hello', { 'x-ms-workflow-run-id': 'r1' })
    t.equal(attempts(w, 'createEvaluation'), 2)
    const key = { 'idempotency-key': 'k' }
    const first = await submit(w, 'Hello', { ...engine('r1', 'a1'), ...key })
    const second = await submit(w, 'Hello', { ...engine('r2', 'a2'), ...key })
    t.equal(second.body.evaluationId, first.body.evaluationId)
  })

  await t.test('passes while the store is away', async t => {
    const w = await world(t, { env: { REDIS_URL: 'redis://127.0.0.1:1' } })
    t.equal((await submit(w, 'Hello', engine('r1', 'a1'))).status, 202)
    t.match(await submit(w, 'Hello', { 'idempotency-key': 'k' }), {
      status: 503,
      body: { error: { code: 'StoreUnavailable' } },
    })
  })
})

t.test('a store that goes away amid a Submit', async t => {
  async function killedAmid(t: Test, operation: string) {
    const redis = await redisServer(t)
    const w = await world(t, {
      env: { REDIS_URL: redis.url },
      beforeGraph: async (method, url) => {
        if (method === 'POST' && url.endsWith(operation)) await redis.kill()
      },
    })
    return { w, redis }
  }

  await t.test('lets a call go on that only its platform’s own key names', async t => {
    const { w } = await killedAmid(t, '/prompts')
    t.equal((await submit(w, 'Hello', engine('r1', 'a1'))).status, 202)
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test('ends one with a key of the caller before anything runs', async t => {
    const { w } = await killedAmid(t, '/prompts')
    t.match(await submit(w, 'Hello', { 'idempotency-key': 'k' }), {
      status: 503,
      body: { error: { code: 'StoreUnavailable' }, sessionId: /./, promptId: /./ },
    })
    t.equal(attempts(w, 'createEvaluation'), 0)
  })
})

t.test('an evaluation that ends for want of capacity', async t => {
  const none = '[sim:result=capacityExceeded] [sim:seconds=1] Hello'

  await t.test('is 429 for a Submit that waits, with the ids and the next full hour', async t => {
    const w = await world(t)
    w.clock.advance(20 * 60_000)
    const reply = await w.post('/process-prompt', { PromptContent: none })
    t.match(reply, {
      status: 429,
      body: {
        error: { code: 'CapacityExceeded' },
        sessionId: /./,
        promptId: /./,
        evaluationId: /./,
      },
    })
    const seconds = Number(reply.headers.get('retry-after'))
    t.ok(seconds >= 40 * 60 - 2 && seconds <= 41 * 60, String(seconds))
    t.match(await w.get(evaluationPath(reply)), {
      status: 200,
      body: { evaluationResultType: 'CapacityExceeded' },
    })
  })

  await t.test('does not pin its key: the same prompt is run again', async t => {
    const w = await world(t)
    const content = '[sim:result=capacityExceededx1] Hello [sim:seconds=1]'
    const key = { 'idempotency-key': 'k', prefer: 'wait=30' }
    const refused = await submit(w, content, key)
    t.equal(refused.status, 429)
    const again = await submit(w, content, key)
    t.match(again, { status: 200, body: { evaluationResultType: 'Success' } })
    t.equal(again.body.promptId, refused.body.promptId)
    t.not(again.body.evaluationId, refused.body.evaluationId)
    t.equal(attempts(w, 'createEvaluation'), 2)
    t.equal((await submit(w, content, key)).body.evaluationId, again.body.evaluationId)
  })

  await t.test('is not run again while the store cannot be told', async t => {
    const redis = await redisServer(t)
    let isReplay = false
    const w = await world(t, {
      env: { REDIS_URL: redis.url },
      beforeGraph: async () => {
        if (isReplay) await redis.kill()
      },
    })
    const key = { 'idempotency-key': 'k', prefer: 'wait=30' }
    t.equal((await submit(w, none, key)).status, 429)
    isReplay = true
    t.match(await submit(w, none, key), {
      status: 503,
      body: { error: { code: 'StoreUnavailable' }, sessionId: /./, promptId: /./ },
    })
    t.equal(attempts(w, 'createEvaluation'), 1)
  })
})

t.test('lost responses', async t => {
  await t.test('of many creations in one moment are all adopted', async t => {
    const w = await world(t)
    const replies = await Promise.all(
      Array.from({ length: 12 }, async () => submit(w, 'Hello [sim:createEvaluation=lostx1]')),
    )
    t.same(new Set(replies.map(({ status }) => status)), new Set([202]))
    t.equal(attempts(w, 'createEvaluation'), 12)
  })

  await t.test('are found though Graph lists an evaluation 5 s late', async t => {
    const w = await world(t, { model: { listedAfterSeconds: 5 } })
    t.equal((await submit(w, 'Hello [sim:createEvaluation=lostx1]')).status, 202)
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test(
    'are 409 with the ids when the list is forbidden, which engines do not repeat',
    async t => {
      const w = await world(t)
      const reply = await submit(w, '[sim:createEvaluation=lost] [sim:listEvaluations=403]')
      t.match(reply, {
        status: 409,
        body: { error: { code: 'SubmissionUnconfirmed' }, sessionId: /./, promptId: /./ },
      })
    },
  )
})

t.test('a key', async t => {
  await t.test('whose Submit created nothing of its own is not kept', async t => {
    const w = await world(t)
    const { body } = await w.start('Hello', {})
    const elsewhere = { PromptContent: 'Hi', SessionId: body.promptId }
    const key = { 'idempotency-key': 'k', prefer: 'respond-async' }
    t.equal((await w.post('/process-prompt', elsewhere, key)).status, 404)
    t.equal((await submit(w, 'Another body', key)).status, 202)
  })

  await t.test('is not lost when the wall clock steps while its Submit is at Graph', async t => {
    const w = await world(t, {
      beforeGraph: async (method, url) => {
        if (method === 'POST' && url.endsWith('/evaluations')) w.clock.setWall(40_000)
      },
    })
    const key = { 'idempotency-key': 'k' }
    const [one, two] = await Promise.all([submit(w, 'Hello', key), submit(w, 'Hello', key)])
    t.equal(one.body.evaluationId, two.body.evaluationId)
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test('adopts what ran, though nothing is left of the budget', async t => {
    const w = await world(t, { env: { EVALUATIONS_PER_HOUR: '1' } })
    const lost = 'Hello [sim:createEvaluation=lostx1] [sim:listEvaluations=403x1]'
    const key = { 'idempotency-key': 'k' }
    t.match(await submit(w, lost, key), { status: 409 })
    t.match(await submit(w, lost, key), { status: 202 })
    t.equal(attempts(w, 'createEvaluation'), 1)
    t.match(await submit(w, 'Another'), {
      status: 429,
      body: { error: { code: 'BudgetExceeded' } },
    })
  })

  await t.test('that was used with another body tells what it has created', async t => {
    const w = await world(t)
    const key = { 'idempotency-key': 'k' }
    const { sessionId, promptId, evaluationId } = (await submit(w, 'Hello', key)).body
    t.match(await submit(w, 'Other', key), {
      status: 422,
      body: { sessionId, promptId, evaluationId },
    })
  })

  await t.test('tells the ids with every error of a replay', async t => {
    const w = await world(t)
    const key = { 'idempotency-key': 'k' }
    const first = await submit(w, 'Hello [sim:getEvaluation=500]', key)
    const { sessionId, promptId, evaluationId } = first.body
    t.match(await submit(w, 'Hello [sim:getEvaluation=500]', key), {
      status: 502,
      body: { sessionId, promptId, evaluationId },
    })
  })
})

t.test('a wait keeps its word though polls take 14 s', async t => {
  let slow = 0
  const w = await world(t, {
    beforeGraph: async (method, url) => {
      if (method !== 'GET' || !/evaluations\/[^/]+$/.test(url)) return
      slow += 1
      await new Promise(resolve => setTimeout(resolve, 14_000).unref())
    },
  })
  const began = performance.now()
  const reply = await w.post('/process-prompt', { PromptContent: 'Hello' }, { prefer: 'wait=1' })
  t.match(reply, { status: 202 })
  t.ok(performance.now() - began < 10_000, 'long before the poll comes back')
  t.ok(slow > 0)
  await w.close().catch(() => undefined)
})

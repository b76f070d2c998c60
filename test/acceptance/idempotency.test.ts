import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { submissionHash } from '../../src/copilot/submit-keyed.ts'
import { readIdempotencyKey } from '../../src/routes/idempotency-key.ts'
import type { Failure } from '../../src/sandbox/graph/markers.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { world, type Reply, type World } from '../helpers/world.ts'
import { lawRuns } from '../helpers/laws.ts'

/** Submits with a key, answered at once unless told otherwise. */
const submit = (
  w: World,
  key: string,
  body: object = { PromptContent: 'Hello' },
  more: Record<string, string> = {},
) => w.post('/process-prompt', body, { prefer: 'respond-async', 'idempotency-key': key, ...more })

const idsOf = ({ body }: Reply): string =>
  [body.sessionId, body.promptId, body.evaluationId].join(' ')
const attempts = ({ calls }: World, operation: string): number =>
  calls.filter(call => call === operation).length

t.test('Submit with an Idempotency-Key', async t => {
  await t.test('is answered again with the same ids and the present state', async t => {
    const w = await world(t)
    const first = await submit(w, 'k1')
    t.match(first, { status: 202, body: { evaluationState: 'Created' } })
    const again = await submit(w, 'k1')
    t.equal(idsOf(again), idsOf(first))
    w.clock.advance(20_000)
    const ended = await submit(w, 'k1')
    t.match(ended, {
      status: 200,
      body: { evaluationState: 'Completed', EvaluationResultContent: /^SIMULATED/ },
    })
    t.equal(idsOf(ended), idsOf(first))
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test('waits for the answer when it is repeated, too', async t => {
    const w = await world(t)
    const first = await submit(w, 'k1')
    const again = await submit(w, 'k1', undefined, { prefer: 'wait=60' })
    t.match(again, { status: 200, body: { evaluationState: 'Completed' } })
    t.equal(idsOf(again), idsOf(first))
  })

  await t.test('takes the key quoted or bare, and from Repeatability-Request-ID', async t => {
    const w = await world(t)
    const ids = idsOf(await submit(w, 'k1'))
    t.equal(idsOf(await submit(w, '"k1"')), ids)
    t.equal(idsOf(await submit(w, '', undefined, { 'repeatability-request-id': 'k1' })), ids)
    t.equal(idsOf(await submit(w, 'k1', undefined, { 'repeatability-request-id': 'other' })), ids)
    t.not(idsOf(await submit(w, 'K1')), ids)
  })

  await t.test(
    'is 422 IdempotencyKeyReused with another body, however the same one is written',
    async t => {
      const w = await world(t)
      const body = { PromptContent: 'Hello', SkillName: 'A', SkillInputs: { a: 1, b: 2 } }
      const ids = idsOf(await submit(w, 'k1', body))
      const same = {
        SkillInputs: { b: 2, a: 1 },
        SessionId: null,
        SkillName: 'A',
        PromptContent: 'Hello',
        Skillsets: '',
      }
      t.equal(idsOf(await submit(w, 'k1', same)), ids)
      for (const other of [
        { ...body, PromptContent: 'Hello!' },
        { ...body, SkillInputs: { a: 1 } },
        { PromptContent: 'Hello' },
      ]) {
        t.match(await submit(w, 'k1', other), {
          status: 422,
          body: { error: { code: 'IdempotencyKeyReused' } },
        })
      }
      t.equal(attempts(w, 'createSession'), 1)
    },
  )

  await t.test('is of one connection: another’s same key is another', async t => {
    const w = await world(t)
    const ids = idsOf(await submit(w, 'k1'))
    t.not(idsOf(await submit(w, 'k1', undefined, { 'x-test-caller': 'bob' })), ids)
  })

  await t.test('is forgotten after 24 h', async t => {
    const w = await world(t)
    const ids = idsOf(await submit(w, 'k1'))
    w.clock.advance(24 * 3_600_000)
    t.not(idsOf(await submit(w, 'k1')), ids)
  })

  await t.test('refuses a key that is none', async t => {
    const w = await world(t)
    for (const key of ['x'.repeat(256), 'two words', '""']) {
      t.match(await submit(w, key), {
        status: 400,
        body: { error: { code: 'InvalidRequest', details: [{ target: 'idempotency-key' }] } },
      })
    }
    t.equal((await submit(w, 'x'.repeat(255))).status, 202)
  })

  await t.test(
    'leads 50 duplicates in flight to one submission, whose polls they share',
    async t => {
      const w = await world(t, { beforeGraph: () => wait(1) })
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => submit(w, 'k1', undefined, { prefer: 'wait=60' })),
      )
      t.ok(replies.every(reply => reply.status === 200))
      t.equal(new Set(replies.map(idsOf)).size, 1)
      t.equal(attempts(w, 'createSession'), 1)
      t.equal(attempts(w, 'createEvaluation'), 1)
      t.ok(attempts(w, 'getEvaluation') < 50 + 60, `${attempts(w, 'getEvaluation')} polls`)
    },
  )
})

t.test('after a failure the same key tries again from what exists', async t => {
  await t.test('with the session and the prompt that were created', async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '1000' } })
    const body = { PromptContent: 'Hello [sim:createEvaluation=429,60x1]' }
    const failed = await submit(w, 'k1', body)
    t.match(failed, {
      status: 429,
      body: { error: { code: 'GraphThrottled' }, sessionId: /./, promptId: /./ },
    })
    const again = await submit(w, 'k1', body)
    t.equal(again.status, 202)
    t.equal(again.body.sessionId, failed.body.sessionId)
    t.equal(again.body.promptId, failed.body.promptId)
    t.same(
      ['createSession', 'createPrompt', 'createEvaluation'].map(name => attempts(w, name)),
      [1, 1, 2],
    )
    t.equal(attempts(w, 'listEvaluations'), 1, 'having looked first')
  })

  await t.test('adopting an evaluation that ran unheard', async t => {
    const w = await world(t)
    const body = {
      PromptContent: 'Hello [sim:createEvaluation=lostx1] [sim:listEvaluations=403x1]',
    }
    const failed = await submit(w, 'k1', body)
    t.match(failed, { status: 409, body: { error: { code: 'SubmissionUnconfirmed' } } })
    const again = await submit(w, 'k1', body)
    t.equal(again.status, 202)
    t.equal(again.body.promptId, failed.body.promptId)
    t.equal(again.body.promptContent, body.PromptContent)
    t.equal(attempts(w, 'createEvaluation'), 1)
  })

  await t.test('and any body may use it when nothing was created', async t => {
    const w = await world(t)
    t.equal((await submit(w, 'k1', { PromptContent: 'Hello', Skillsets: ['Intune'] })).status, 400)
    t.equal((await submit(w, 'k1', { PromptContent: 'Hello', Skillsets: ['Entra'] })).status, 202)
  })

  await t.test('in the session that the caller named', async t => {
    const w = await world(t)
    const { body } = await w.start('First')
    const second = { PromptContent: 'Next [sim:createPrompt=403x1]', SessionId: body.sessionId }
    t.equal((await submit(w, 'k1', second)).status, 403)
    t.match(await submit(w, 'k1', second), { status: 202, body: { sessionId: body.sessionId } })
  })
})

t.test('replicas that share a Redis', async t => {
  await t.test('lead duplicates to one submission, whichever is asked', async t => {
    const server = await redisServer(t)
    const clock = leapingClock()
    const first = await world(t, {
      clock,
      env: { REDIS_URL: server.url },
      beforeGraph: () => wait(1),
    })
    const others = await Promise.all(
      [1, 2].map(async () =>
        world(t, { clock, env: { REDIS_URL: server.url }, graphUrl: first.graphUrl }),
      ),
    )
    const replicas = [first, ...others]
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        submit(replicas[index % 3] as World, `k${index % 10}`),
      ),
    )
    t.ok(replies.every(reply => reply.status === 202))
    t.equal(new Set(replies.map(idsOf)).size, 10)
    t.equal(attempts(first, 'createEvaluation'), 10)
  })

  await t.test(
    'refuse a key that cannot be recorded with 503, before anything is sent',
    async t => {
      const server = await redisServer(t)
      const w = await world(t, { env: { REDIS_URL: server.url } })
      await server.kill()
      const refused = await submit(w, 'k1')
      t.match(refused, { status: 503, body: { error: { code: 'StoreUnavailable' } } })
      t.equal(refused.headers.get('retry-after'), '5')
      t.same(w.calls, [])
      t.equal((await w.start('Hello')).status, 202, 'without a key it goes on')
    },
  )

  await t.test(
    'stop before the evaluation when the store is lost on the way, and tell the ids',
    async t => {
      const server = await redisServer(t)
      const w = await world(t, {
        env: { REDIS_URL: server.url },
        simulator: {
          fault: operation => {
            if (operation === 'createPrompt') server.freeze()
            return undefined
          },
        },
      })
      const refused = await submit(w, 'k1')
      t.match(refused, {
        status: 503,
        body: { error: { code: 'StoreUnavailable' }, sessionId: /./, promptId: /./ },
      })
      t.equal(attempts(w, 'createEvaluation'), 0)
      server.thaw()
    },
  )

  await t.test(
    'answer though the store is lost once the evaluation runs; the key finds it later',
    async t => {
      const server = await redisServer(t)
      const w = await world(t, {
        env: { REDIS_URL: server.url },
        simulator: {
          fault: operation => {
            if (operation === 'createEvaluation') server.freeze()
            return undefined
          },
        },
      })
      const first = await submit(w, 'k1')
      t.equal(first.status, 202)
      server.thaw()
      await wait(100)
      // The record may have arrived after all, or the claim runs out: either way the same
      // evaluation is found.
      const redis = await server.connect()
      for (const key of await redis.keys('copilot:submit:*'))
        await redis.hset(key, 'heldUntil', '1')
      t.equal(idsOf(await submit(w, 'k1')), idsOf(first))
      t.equal(attempts(w, 'createEvaluation'), 1)
    },
  )
})

t.test('a key that another request holds too long is 503, and not submitted twice', async t => {
  const server = await redisServer(t)
  const w = await world(t, { env: { REDIS_URL: server.url } })
  const redis = await server.connect()
  await submit(w, 'k1')
  const [key = ''] = await redis.keys('copilot:submit:*')
  await redis.hdel(key, 'evaluation')
  await redis.hset(key, 'holder', 'a dead replica', 'heldUntil', String(Date.now() + 3_600_000))
  t.match(await submit(w, 'k1'), { status: 503, body: { error: { code: 'StoreUnavailable' } } })
  t.equal(attempts(w, 'createEvaluation'), 1)
})

t.test('readIdempotencyKey() and submissionHash()', async t => {
  t.equal(readIdempotencyKey({}), undefined)
  t.equal(readIdempotencyKey({ 'idempotency-key': '' }), undefined)
  t.same(readIdempotencyKey({ 'idempotency-key': '"a"b"' }), { from: 'caller', name: 'a"b' })
  t.throws(() => readIdempotencyKey({ 'repeatability-request-id': 'é' }), {
    code: 'InvalidRequest',
  })
  t.not(submissionHash({ content: 'a' }), submissionHash({ content: 'b' }))
})

t.test(
  'a request whose key was taken over stops before the evaluation, and tells the ids',
  async t => {
    const server = await redisServer(t)
    const redis = await server.connect()
    const w = await world(t, {
      env: { REDIS_URL: server.url },
      beforeGraph: async (method, url) => {
        if (method !== 'POST' || !url.endsWith('/prompts')) return
        const [key = ''] = await redis.keys('copilot:submit:*')
        await redis.hset(key, 'holder', 'another')
      },
    })
    const refused = await submit(w, 'k1')
    t.match(refused, {
      status: 503,
      body: { error: { code: 'StoreUnavailable' }, sessionId: /./, promptId: /./ },
    })
    t.equal(attempts(w, 'createEvaluation'), 0)
  },
)

t.test(
  'law: an answer never goes back from ended to running, whoever asks and however',
  async t => {
    const w = await world(t, { env: { RATE_LIMIT_CALLS: '1000000' } })
    let run = 0
    const look = fc.constantFrom('status', 'result', 'replay', 'wait')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(look, fc.nat(4000)), { minLength: 4, maxLength: 14 }),
        async looks => {
          run += 1
          const key = `looks-${run}`
          const { body } = await submit(w, key)
          const path = `/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`
          let ended = false
          for (const [how, ms] of looks) {
            w.clock.advance(ms)
            const reply =
              how === 'replay' || how === 'wait'
                ? await submit(w, key, undefined, how === 'wait' ? { prefer: 'wait=1' } : {})
                : await w.get(how === 'result' ? `${path}/result` : path)
            const nowEnded = reply.body.evaluationState === 'Completed'
            if (ended && !nowEnded) return false
            ended = nowEnded
          }
          return true
        },
      ),
      { numRuns: lawRuns(0.05) },
    )
  },
)

t.test(
  'law: however Graph fails, one key makes at most one evaluation, and ends with an answer',
  async t => {
    let schedule: (Failure | undefined)[] = []
    const w = await world(t, {
      env: { RATE_LIMIT_CALLS: '1000000' },
      simulator: { fault: () => schedule.shift() },
    })
    const failure: fc.Arbitrary<Failure | undefined> = fc.oneof(
      fc.constant(undefined),
      fc.constantFrom('reset', 'lost', 'truncated', 'html', 'shape').map(kind => ({ kind })),
      fc
        .constantFrom(429, 500, 503, 403)
        .map(status => ({ kind: 'status' as const, status, retryAfter: '1' })),
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(failure, { maxLength: 6 }), { maxLength: 4 }),
        async tries => {
          run += 1
          const key = `law-${run}`
          w.calls.length = 0
          for (const faults of tries) {
            schedule = [...faults]
            await submit(w, key)
            w.clock.advance(60_000)
          }
          schedule = []
          // The last try is undisturbed: it tells the one evaluation, and so does the next.
          const reply = await submit(w, key)
          const again = await submit(w, key)
          const { sessionId } = reply.body
          const evaluations = (w.model.listPrompts('alice', sessionId) ?? []).flatMap(
            prompt => w.model.listEvaluations('alice', sessionId, prompt.id) ?? [],
          )
          return (
            reply.status < 300 &&
            idsOf(again) === idsOf(reply) &&
            evaluations.length === 1 &&
            evaluations[0]?.id === reply.body.evaluationId
          )
        },
      ),
      { numRuns: lawRuns(0.35) },
    )
  },
)

import fc from 'fast-check'
import t from 'tap'
import type { Failure } from '../../src/sandbox/graph/markers.ts'
import { evaluationPath, world, type Reply, type World } from '../helpers/world.ts'
import { lawRuns } from '../helpers/laws.ts'

const attempts = ({ calls }: World, operation: string): number =>
  calls.filter(call => call === operation).length

t.test('a read that fails', async t => {
  const rows: [string, number, string, number, string | null][] = [
    ['429', 429, 'GraphThrottled', 4, '10'],
    ['429,5', 429, 'GraphThrottled', 4, '5'],
    ['429,40', 429, 'GraphThrottled', 1, '40'],
    ['500', 502, 'GraphError', 1, null],
    ['502', 502, 'GraphError', 4, null],
    ['503', 502, 'GraphError', 4, null],
    ['503,40', 503, 'GraphUnavailable', 1, '40'],
    ['504', 504, 'GraphTimeout', 4, null],
    ['reset', 503, 'GraphUnavailable', 4, '10'],
    ['truncated', 503, 'GraphUnavailable', 4, '10'],
    ['400', 502, 'GraphError', 1, null],
    ['401', 502, 'GraphError', 1, null],
    ['403', 403, 'GraphForbidden', 1, null],
    ['404', 404, 'EvaluationNotFound', 1, null],
    ['html', 502, 'GraphInvalidResponse', 1, null],
    ['shape', 502, 'GraphInvalidResponse', 1, null],
    ['redirect', 502, 'GraphInvalidResponse', 1, null],
  ]
  for (const [failure, status, code, made, retryAfter] of rows) {
    await t.test(`with ${failure} is ${code} after ${made} attempts, within 30 s`, async t => {
      const w = await world(t)
      const path = evaluationPath(await w.start(`Hello [sim:getEvaluation=${failure}]`))
      const began = w.clock.now()
      const reply = await w.get(path)
      t.match(reply, { status, body: { error: { code } } })
      t.equal(reply.headers.get('retry-after'), retryAfter)
      t.equal(attempts(w, 'getEvaluation'), made)
      t.ok(w.clock.now() - began <= 30_000)
    })
  }

  await t.test('is answered as soon as it works again', async t => {
    for (const failure of ['503x3', '429,2x2', 'resetx1', '504x2']) {
      const w = await world(t)
      const reply = await w.get(
        evaluationPath(await w.start(`Hello [sim:getEvaluation=${failure}]`)),
      )
      t.equal(reply.status, 200, failure)
    }
  })

  for (const failure of ['stall', 'drip']) {
    await t.test(`with no answer in time, ${failure}, is GraphTimeout`, async t => {
      const w = await world(t, { graphLimits: { timeoutMs: 250 } })
      const reply = await w.get(
        evaluationPath(await w.start(`Hello [sim:getEvaluation=${failure}]`)),
      )
      t.match(reply, { status: 504, body: { error: { code: 'GraphTimeout' } } })
      t.equal(attempts(w, 'getEvaluation'), 4)
    })
  }
})

t.test('creating a session or a prompt, which is free, is repeated', async t => {
  for (const failure of ['503x2', '429,1x1', 'resetx3', 'lostx1', 'truncatedx1']) {
    const w = await world(t)
    const reply = await w.start(`[sim:createSession=${failure}] [sim:createPrompt=${failure}]`)
    t.equal(reply.status, 202, failure)
    t.equal(attempts(w, 'createEvaluation'), 1)
  }
})

t.test('creating an evaluation', async t => {
  /** Submits, and counts what Graph holds: evaluations over all prompts of all sessions. */
  const submit = async (w: World, failure: string) => {
    const reply = await w.start(`Hello [sim:createEvaluation=${failure}]`)
    return { reply, evaluations: evaluationsIn(w) }
  }

  for (const failure of ['lostx1', 'truncatedx1']) {
    await t.test(`that ran, ${failure}, is adopted, not repeated`, async t => {
      const w = await world(t)
      const { reply, evaluations } = await submit(w, failure)
      t.equal(reply.status, 202)
      t.same(evaluations, [reply.body.evaluationId])
      t.equal(attempts(w, 'createEvaluation'), 1)
      t.equal(attempts(w, 'listEvaluations'), 1)
    })
  }

  for (const failure of ['resetx1', '500x1', '503x1', 'htmlx1', 'shapex1', '504x1']) {
    await t.test(`that did not run, ${failure}, is looked for and then repeated once`, async t => {
      const w = await world(t)
      const { reply, evaluations } = await submit(w, failure)
      t.equal(reply.status, 202)
      t.same(evaluations, [reply.body.evaluationId])
      t.equal(attempts(w, 'createEvaluation'), 2)
      t.equal(attempts(w, 'listEvaluations'), 5, 'it might be listed late')
    })
  }

  await t.test('that is throttled did not run, and is repeated as Retry-After says', async t => {
    const w = await world(t)
    const began = w.clock.now()
    const { reply, evaluations } = await submit(w, '429,7x2')
    t.equal(reply.status, 202)
    t.equal(evaluations.length, 1)
    t.equal(w.clock.now() - began, 14_000)
    t.equal(attempts(w, 'listEvaluations'), 0)
  })

  await t.test('may wait for the whole budget of 30 s when it carries no key', async t => {
    const w = await world(t)
    const began = w.clock.now()
    const { reply, evaluations } = await submit(w, '429,25x1')
    t.equal(reply.status, 202)
    t.equal(evaluations.length, 1)
    t.equal(w.clock.now() - began, 25_000)
  })

  await t.test(
    'that is lost twice and not to be seen is SubmissionUnconfirmed, with the ids',
    async t => {
      const w = await world(t)
      const { reply, evaluations } = await submit(w, '500')
      t.match(reply, {
        status: 409,
        body: { error: { code: 'SubmissionUnconfirmed' }, sessionId: /./, promptId: /./ },
      })
      t.same(evaluations, [])
      t.equal(attempts(w, 'createEvaluation'), 2)
    },
  )

  await t.test(
    'that is lost, when the list is forbidden or fails, is SubmissionUnconfirmed, and not repeated',
    async t => {
      for (const listing of ['403', '500', 'html']) {
        const w = await world(t)
        const reply = await w.start(
          `Hello [sim:createEvaluation=lost] [sim:listEvaluations=${listing}]`,
        )
        t.match(
          reply,
          { status: 409, body: { error: { code: 'SubmissionUnconfirmed' }, promptId: /./ } },
          listing,
        )
        t.equal(evaluationsIn(w).length, 1)
        t.equal(attempts(w, 'createEvaluation'), 1)
      }
    },
  )

  await t.test('that Graph refuses is refused, not looked for', async t => {
    for (const [failure, code] of [
      ['400', 'GraphError'],
      ['403', 'GraphForbidden'],
      ['404', 'PromptNotFound'],
      ['claims', 'InsufficientClaims'],
      ['429,60', 'GraphThrottled'],
    ] as const) {
      const w = await world(t)
      const { reply, evaluations } = await submit(w, failure)
      t.match(reply.body, { error: { code }, sessionId: /./, promptId: /./ })
      t.same(evaluations, [])
      t.equal(attempts(w, 'listEvaluations'), 0)
    }
  })
})

t.test('a connection most of whose calls fail is given a rest, and no other', async t => {
  const w = await world(t)
  const failing = evaluationPath(await w.start('Hello [sim:getEvaluation=503]'))
  const working = evaluationPath(await w.start('Hello'))
  // What worked before is no longer counted.
  w.clock.advance(10_000)
  for (let call = 0; call < 2; call += 1) {
    t.match(await w.get(failing), { status: 502, body: { error: { code: 'GraphError' } } })
    w.clock.advance(1000)
  }
  const calls = w.calls.length
  t.match(await w.get(failing), { status: 503, body: { error: { code: 'GraphUnavailable' } } })
  t.equal(w.calls.length, calls + 2, 'the tenth failure opens the circuit')

  const refused = await w.get(working)
  t.match(refused, { status: 503, body: { error: { code: 'GraphUnavailable' } } })
  t.ok(Number(refused.headers.get('retry-after')) <= 5)
  t.equal(w.calls.length, calls + 2)
  const other = await w.post(
    '/process-prompt',
    { PromptContent: 'Hi' },
    { 'x-test-caller': 'bob', prefer: 'respond-async' },
  )
  t.equal(other.status, 202)

  w.clock.advance(5000)
  t.equal((await w.get(working)).status, 200)
})

t.test('one caller’s calls that hang do not keep another’s waiting', async t => {
  const w = await world(t, { graphLimits: { timeoutMs: 2000 } })
  const hanging = evaluationPath(await w.start('Hello [sim:getEvaluation=stall]'))
  const bob = { 'x-test-caller': 'bob' }
  const bobs = evaluationPath(
    await w.post('/process-prompt', { PromptContent: 'Hi' }, { ...bob, prefer: 'respond-async' }),
  )
  let hanged = 0
  const hung = Array.from({ length: 200 }, async () => {
    await w.get(hanging)
    hanged += 1
  })
  while (attempts(w, 'getEvaluation') < 32) await new Promise(setImmediate)

  t.equal((await w.get(bobs, bob)).status, 200)
  t.equal(hanged, 0)
  await Promise.all(hung)
})

t.test('when nobody listens, Submit is 503 after four attempts and creates nothing', async t => {
  const w = await world(t, { graphUrl: 'http://127.0.0.1:1/beta' })
  const reply = await w.start('Hello')
  t.match(reply, { status: 503, body: { error: { code: 'GraphUnavailable' } } })
  t.notOk('sessionId' in reply.body)
})

/** Every evaluation that Graph holds for alice. */
function evaluationsIn({ model }: World): string[] {
  return model
    .listSessions('alice')
    .flatMap(session =>
      (model.listPrompts('alice', session.id) ?? []).flatMap(prompt =>
        (model.listEvaluations('alice', session.id, prompt.id) ?? []).map(
          evaluation => evaluation.id,
        ),
      ),
    )
}

const kinds = ['html', 'shape', 'redirect', 'reset', 'lost', 'truncated'] as const
const failure: fc.Arbitrary<Failure | undefined> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: fc.constantFrom(...kinds).map(kind => ({ kind })) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('status' as const),
      status: fc.constantFrom(400, 403, 404, 429, 500, 502, 503, 504),
      retryAfter: fc.constantFrom(undefined, '1', '0.5', '-1', '99999', 'soon'),
    }),
  },
)

t.test(
  'law: however Graph fails, a submit makes at most one evaluation, and loses none',
  async t => {
    let schedule: (Failure | undefined)[] = []
    const w = await world(t, {
      env: { RATE_LIMIT_CALLS: '1000000' },
      simulator: { fault: () => schedule.shift() },
    })
    let before = 0

    const holds = ({ status, body }: Reply, asked: readonly string[]): boolean => {
      const evaluations = evaluationsIn(w)
      const added = evaluations.length - before
      before = evaluations.length
      // An evaluation that was acknowledged is told; one that was not may be there, but once at
      // most, and its prompt is told.
      if (status === 202) return added === 1 && evaluations.includes(body.evaluationId)
      if (added > 1 || (asked.includes('createPrompt') && body.sessionId === undefined))
        return false
      if (asked.includes('createEvaluation') && body.promptId === undefined) return false
      if (added === 1 && body.error.code !== 'SubmissionUnconfirmed') return false
      return typeof body.error.code === 'string' && status >= 400
    }
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 12 }), async faults => {
        schedule = [...faults]
        const reply = await w.start('Hello')
        schedule = []
        const kept = holds(reply, w.calls.splice(0))
        // Rests the breaker before the next run.
        w.clock.advance(60_000)
        await w.get(
          '/sessions/11111111-1111-4111-8111-111111111111/prompts/11111111-1111-4111-8111-111111111111/promptbook',
        )
        return kept
      }),
      { numRuns: lawRuns() },
    )
    t.ok(before > 0)
  },
)

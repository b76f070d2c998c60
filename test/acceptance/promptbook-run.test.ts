import { mkdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { promptbookOperation, promptbookResult } from '../../src/routes/schemas.ts'
import { world, type Reply, type World, type WorldOptions } from '../helpers/world.ts'

const bookId = '3f0d8a52-6c1e-4b7f-9d34-5a2e71c8b960'

/** A world with one promptbook in a folder of its own. */
async function bookWorld(t: Test, options: WorldOptions = {}): Promise<World> {
  const folder = `${t.testdir()}/books`
  mkdirSync(folder, { recursive: true })
  const book = {
    id: bookId,
    name: 'Two questions',
    description: 'Asks twice.',
    inputs: [
      { name: 'Incident', description: 'Its number.' },
      { name: 'Tone', default: 'short' },
    ],
    prompts: [
      'Summarize incident <Incident>',
      { content: 'Be <Tone>', skill: 'Report', inputs: { incident: '<Incident>' } },
    ],
  }
  writeFileSync(`${folder}/two.json`, JSON.stringify(book))
  return world(t, { ...options, env: { PROMPTBOOKS_PATH: folder, ...options.env } })
}

const run = (w: World, body: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  w.post('/run-promptbook', body, headers)

const prompts = (...Prompts: unknown[]) => ({ Prompts })

const count = ({ calls }: World, operation: string): number =>
  calls.filter(call => call === operation).length

/** The path of a URL that was handed out. */
const pathOf = (reply: Reply, header = 'location'): string =>
  new URL(reply.headers.get(header) ?? '').pathname

/** Polls `Location` until it answers otherwise than 202. */
async function followed(w: World, reply: Reply): Promise<Reply> {
  let latest = reply
  while (latest.status === 202) {
    const seconds = Number(latest.headers.get('retry-after'))
    await w.clock.sleep(seconds * 1000, new AbortController().signal)
    latest = await w.get(pathOf(reply))
  }
  return latest
}

t.test('POST /run-promptbook', async t => {
  await t.test(
    'runs a promptbook in one session, in order, and answers what its clients parse',
    async t => {
      const w = await bookWorld(t)
      const reply = await run(w, {
        PromptbookId: bookId.toUpperCase(),
        PromptbookInputs: { incident: '4711' },
      })
      t.equal(reply.status, 200)
      t.same(promptbookResult.parse(reply.body), reply.body)
      t.match(reply.body, { promptbookState: 'Completed', errors: [] })
      t.match(reply.body.evaluationResults, [
        {
          skillName: '',
          promptContent: 'Summarize incident 4711',
          evaluationResultType: 'Success',
          evaluationResultContent: /^SIMULATED/,
          skillSources: [],
        },
        { skillName: 'Report', promptContent: '/Report Be short\nincident: 4711' },
      ])
      t.equal(count(w, 'createSession'), 1)
      t.equal(count(w, 'createPrompt'), 2)
      t.equal(count(w, 'createEvaluation'), 2)
      const status = await w.get(
        `/sessions/${reply.body.sessionId}/prompts/${reply.body.promptId}/promptbook`,
      )
      t.match(status.body, { promptbookState: 'Completed', evaluationResults: { length: 2 } })
    },
  )

  await t.test('takes the name of a promptbook, and inputs as JSON in a string', async t => {
    const w = await bookWorld(t)
    const inputs = JSON.stringify({ INCIDENT: 1, Tone: '<Incident>' })
    const { body } = await run(w, { PromptbookId: 'two QUESTIONS', PromptbookInputs: inputs })
    t.match(body.evaluationResults[1], { promptContent: '/Report Be <Incident>\nincident: 1' })
  })

  await t.test('runs prompts of the caller in a session of the caller', async t => {
    const w = await world(t)
    const { body: before } = await w.start('Hello')
    const { status, body } = await run(w, {
      ...prompts('A <word> about <Topic>', {
        PromptContent: 'B',
        SkillName: 'S',
        SkillInputs: { a: '<topic>' },
      }),
      PromptbookInputs: { Topic: 'x' },
      SessionId: before.sessionId,
    })
    t.match({ status, body }, { status: 200, body: { sessionId: before.sessionId } })
    t.same(
      body.evaluationResults.map((one: any) => one.promptContent),
      ['A <word> about x', '/S B\na: x'],
    )
    t.equal(count(w, 'createSession'), 1)
  })

  await t.test('answers 202 when it takes longer, with where to poll', async t => {
    const w = await world(t)
    const reply = await run(w, prompts('A', 'B'), { prefer: 'respond-async' })
    t.equal(reply.status, 202)
    t.same(promptbookResult.parse(reply.body), reply.body)
    t.match(reply.body, { promptbookState: 'Running', errors: [] })
    t.ok(reply.body.promptId)
    t.equal(reply.headers.get('preference-applied'), 'respond-async')
    t.match(pathOf(reply), /^\/promptbook-runs\/[\w-]{64}\/result$/)
    const operation = await w.get(pathOf(reply, 'operation-location'))
    t.match(operation.status, 200)
    t.same(promptbookOperation.parse(operation.body), operation.body)
    const ended = await followed(w, reply)
    t.match(ended, {
      status: 200,
      body: { promptbookState: 'Completed', sessionId: reply.body.sessionId },
    })
    t.equal(ended.body.evaluationResults.length, 2)
    const done = await w.get(pathOf(reply, 'operation-location'))
    t.match(done.body, { status: 'Succeeded', result: ended.body })
    t.equal(done.headers.get('retry-after'), null)
  })

  await t.test('hands out addresses below the prefix of a connector runtime', async t => {
    const w = await world(t)
    const prefix = 'https://x.azure-apihub.net/apim/copilot/abc'
    const reply = await run(w, prompts('A'), {
      prefer: 'respond-async',
      'x-ms-apim-referrer-prefix': prefix,
    })
    t.ok(reply.headers.get('location')?.startsWith(`${prefix}/promptbook-runs/`))
  })

  await t.test('a step that ends without success ends the run, and says so', async t => {
    const cases = { error: 'Error', rejected: 'Rejected', timedOut: 'TimedOut' }
    for (const [marker, type] of Object.entries(cases)) {
      const w = await world(t)
      const { status, body } = await run(w, prompts('A', `B [sim:result=${marker}]`, 'C'))
      t.match({ status, body }, { status: 200, body: { promptbookState: 'Failed' } })
      t.same(
        body.evaluationResults.map((one: any) => one.evaluationResultType),
        ['Success', type],
      )
      t.same(body.errors, [`Cannot go on with the promptbook: prompt 2 ended with ${type}`])
    }
  })

  await t.test('a cancelled step cancels the run', async t => {
    const w = await world(t)
    const { body } = await run(w, prompts('A', 'B [sim:state=cancelled]', 'C'))
    t.match(body, { promptbookState: 'Cancelled', errors: [], evaluationResults: { length: 2 } })
    t.equal(body.evaluationResults[1].evaluationResultType, 'Unknown')
    const reply = await run(w, prompts('B [sim:state=cancelled]'), { prefer: 'respond-async' })
    await followed(w, reply)
    const operation = await w.get(pathOf(reply, 'operation-location'))
    t.match(operation.body, { status: 'Canceled' })
  })

  await t.test('a step that Graph refuses later fails the run, with why', async t => {
    const w = await world(t)
    const { status, body } = await run(w, prompts('A', 'B [sim:createEvaluation=403]'))
    t.match({ status, body }, { status: 200, body: { promptbookState: 'Failed' } })
    t.match(body.errors, [/^Cannot create the evaluation: /])
    t.equal(body.evaluationResults[1].evaluationResultType, 'Unknown')
    const refused = await run(w, prompts('A', 'B [sim:createPrompt=403]'))
    t.match(refused.body, { promptbookState: 'Failed', evaluationResults: { length: 1 } })
  })

  await t.test(
    'a first step that is refused while nothing exists is an error, and keeps nothing',
    async t => {
      const w = await world(t)
      const key = { 'idempotency-key': 'k' }
      const refused = await run(w, prompts('A [sim:createSession=403]'), key)
      t.match(refused, {
        status: 403,
        body: { error: { code: 'GraphForbidden' }, errors: [refused.body.error.message] },
      })
      t.match(await run(w, prompts('A'), key), { status: 200 })
      const missing = '11111111-1111-4111-8111-111111111111'
      const lost = await run(w, { ...prompts('A'), SessionId: missing })
      t.match(lost, { status: 404, body: { errors: [String], error: { code: 'SessionNotFound' } } })
    },
  )

  await t.test('plugins are checked once, before anything', async t => {
    const w = await world(t)
    const reply = await run(w, { ...prompts('A'), Skillsets: ['Nope'] })
    t.match(reply, {
      status: 400,
      body: { error: { code: 'PluginNotEnabled', target: 'Skillsets' }, errors: [String] },
    })
    t.same(w.calls, ['listPlugins'])
  })

  await t.test(
    'CapacityExceeded is 429 with the ids, and the same key goes on from there',
    async t => {
      const w = await world(t)
      const body = prompts('A', 'B [sim:result=capacityExceededx1]', 'C')
      const refused = await run(w, body, { 'idempotency-key': 'k' })
      t.match(refused, {
        status: 429,
        body: {
          sessionId: String,
          promptId: String,
          evaluationId: String,
          errors: [String],
          error: { code: 'CapacityExceeded' },
        },
      })
      t.ok(Number(refused.headers.get('retry-after')) > 0)
      const again = await run(w, body, { 'idempotency-key': 'k' })
      t.match(again, {
        status: 200,
        body: { promptbookState: 'Completed', sessionId: refused.body.sessionId },
      })
      t.equal(count(w, 'createEvaluation'), 4)
      t.equal(count(w, 'createPrompt'), 3)
    },
  )

  await t.test(
    'the same key goes on from a step that Graph refused, and not from another',
    async t => {
      const w = await world(t)
      const body = prompts('A', 'B [sim:createEvaluation=403x1]', 'C')
      const key = { 'idempotency-key': 'k' }
      t.match((await run(w, body, key)).body, { promptbookState: 'Failed' })
      t.match((await run(w, body, key)).body, { promptbookState: 'Completed' })
      const rejected = prompts('A [sim:result=rejected]')
      const first = await run(w, rejected, { 'idempotency-key': 'r' })
      const again = await run(w, rejected, { 'idempotency-key': 'r' })
      t.same(again.body, first.body)
      t.equal(count(w, 'createSession'), 2)
    },
  )

  await t.test('the same key and body is the same run, another body is 422', async t => {
    const w = await bookWorld(t)
    const key = { 'idempotency-key': 'k' }
    const body = { PromptbookId: bookId, PromptbookInputs: { Incident: 1, Tone: 'x' } }
    const first = await run(w, body, key)
    const same = {
      SessionId: '',
      PromptbookInputs: { tone: 'x', incident: '1' },
      PromptbookId: bookId,
    }
    t.same((await run(w, same, key)).body, first.body)
    const other = await run(w, { ...body, PromptbookInputs: { Incident: 2 } }, key)
    t.match(other, { status: 422, body: { error: { code: 'IdempotencyKeyReused' } } })
    const bob = await run(w, body, { ...key, 'x-test-caller': 'bob' })
    t.not(bob.body.sessionId, first.body.sessionId)
    t.equal(count(w, 'createSession'), 2)
  })

  await t.test(
    'the platform’s own key makes a repetition the same run, another body another',
    async t => {
      const w = await world(t)
      const key = { 'x-ms-workflow-run-id': 'r', 'x-ms-action-tracking-id': 't' }
      const first = await run(w, prompts('A'), key)
      t.same((await run(w, prompts('A'), key)).body, first.body)
      t.match(await run(w, prompts('B'), key), { status: 200 })
      t.equal(count(w, 'createEvaluation'), 2)
    },
  )

  await t.test('twenty callers of one key get one run, polled once', async t => {
    const w = await world(t)
    const one = await world(t)
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => run(w, prompts('A', 'B'), { 'idempotency-key': 'k' })),
    )
    await run(one, prompts('A', 'B'))
    t.equal(new Set(replies.map(({ body }) => body.sessionId)).size, 1)
    t.ok(replies.every(({ status }) => status === 200))
    t.equal(count(w, 'createEvaluation'), 2)
    t.ok(count(w, 'getEvaluation') <= count(one, 'getEvaluation') + 1)
  })

  await t.test('names what is wrong with a body, by its place', async t => {
    const w = await bookWorld(t)
    const cases: [object, string[]][] = [
      [{ PromptbookId: bookId }, ['PromptbookInputs.Incident']],
      [
        { PromptbookId: bookId, PromptbookInputs: { Incident: 1, other: 2 } },
        ['PromptbookInputs.other'],
      ],
      [{}, ['PromptbookId']],
      [{ PromptbookId: bookId, ...prompts('A') }, ['PromptbookId']],
      [{ ...prompts('<a>'), PromptbookInputs: { a: ' ' } }, ['Prompts[0]']],
      [prompts('A', ''), ['Prompts[1].PromptContent']],
    ]
    for (const [body, targets] of cases) {
      const reply = await run(w, body)
      t.match(reply, { status: 400, body: { errors: [String] } })
      t.same(
        reply.body.error.details.map(({ target }: any) => target),
        targets,
      )
    }
    t.same(w.calls, [])
  })

  await t.test('an unknown promptbook is 404, and is told how to list them', async t => {
    const w = await bookWorld(t)
    const reply = await run(w, { PromptbookId: 'nope' })
    t.match(reply, {
      status: 404,
      body: {
        error: { code: 'PromptbookNotFound', message: /GET \/promptbooks/ },
        errors: [String],
      },
    })
  })

  await t.test('an evaluation that Graph has no more ends the run', async t => {
    const w = await world(t)
    const reply = await run(w, prompts('A [sim:getEvaluation=404]', 'B'))
    t.match(reply, { status: 200, body: { promptbookState: 'Failed', errors: [String] } })
    const operation = await run(w, prompts('A [sim:getEvaluation=404]'), {
      prefer: 'respond-async',
    })
    await followed(w, operation)
    const { body } = await w.get(pathOf(operation, 'operation-location'))
    t.match(body, { status: 'Failed', error: { message: /^Cannot / } })
  })
})

t.test('GET /promptbook-runs/{runId}/result', async t => {
  await t.test(
    'is 404 RunNotFound for another connection, an unknown run and one of yesterday',
    async t => {
      const w = await world(t)
      const reply = await run(w, prompts('A'), { prefer: 'respond-async' })
      await followed(w, reply)
      const path = pathOf(reply)
      const notFound = { status: 404, body: { error: { code: 'RunNotFound' }, errors: [String] } }
      t.match(await w.get(path, { 'x-test-caller': 'bob' }), notFound)
      t.match(await w.get('/promptbook-runs/x/result'), notFound)
      t.match(await w.get(`/promptbook-runs/${'A'.repeat(64)}/operation`), notFound)
      t.match(await w.get(path), { status: 200 })
      w.clock.advance(24 * 3_600_000)
      t.match(await w.get(path), notFound)
    },
  )

  await t.test('is held until the run ended, and shares its polls', async t => {
    const w = await world(t, { env: { RESULT_WAIT_SECONDS: '100' } })
    const reply = await run(w, prompts('A'), { prefer: 'respond-async' })
    const polls = await Promise.all(Array.from({ length: 20 }, () => w.get(pathOf(reply))))
    t.ok(polls.every(({ status }) => status === 200))
    t.ok(count(w, 'getEvaluation') < 20)
  })
})

t.test('GET /promptbooks', async t => {
  await t.test('lists the promptbooks with their inputs', async t => {
    const w = await bookWorld(t)
    t.same((await w.get('/promptbooks')).body, {
      value: [
        {
          id: bookId,
          name: 'Two questions',
          description: 'Asks twice.',
          inputs: [
            { name: 'Incident', description: 'Its number.', required: true },
            { name: 'Tone', description: '', required: false },
          ],
        },
      ],
    })
    t.same((await (await world(t)).get('/promptbooks')).body, { value: [] })
  })

  await t.test('/{promptbookId}/inputs answers a schema of the inputs, by id or name', async t => {
    const w = await bookWorld(t)
    for (const name of [bookId, 'two%20questions']) {
      const { status, body } = await w.get(`/promptbooks/${name}/inputs`)
      t.match({ status, body }, { status: 200, body: { type: 'object', required: ['Incident'] } })
    }
    const unknown = await w.get('/promptbooks/nope/inputs')
    t.match(unknown, { status: 404, body: { error: { code: 'PromptbookNotFound' } } })
  })
})

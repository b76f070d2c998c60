import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { promptbookRunResult } from '../../src/routes/schemas.ts'
import { world, type World, type WorldOptions } from '../helpers/world.ts'
import type { Test } from 'tap'

/** A session of alice's with these prompts; those that run have one evaluation. */
function session({ model }: World, prompts: { content: string; runs?: number }[]) {
  const { id } = model.createSession('alice', 'A promptbook')
  const ids = prompts.map(({ content, runs = 1 }) => {
    const prompt = model.createPrompt('alice', id, { type: 'prompt', content })
    for (let run = 0; run < runs; run += 1) model.createEvaluation('alice', id, prompt?.id ?? '')
    return prompt?.id ?? ''
  })
  return { id, prompts: ids, path: `/sessions/${id}/prompts/${ids[0]}/promptbook` }
}

async function stateOf(
  t: Test,
  prompts: { content: string; runs?: number }[],
  seconds: number,
): Promise<string> {
  const w = await world(t)
  const { path } = session(w, prompts)
  w.clock.advance(seconds * 1000)
  const { status, body } = await w.get(path)
  t.equal(status, 200)
  t.ok(promptbookRunResult.safeParse(body).success)
  return body.promptbookState
}

t.test('GET …/prompts/{promptId}/promptbook', async t => {
  await t.test('answers the prompt and every later one of its session, oldest first', async t => {
    const w = await world(t)
    const { id, prompts } = session(w, [
      { content: 'One' },
      { content: '/Find Two' },
      { content: 'Three' },
    ])
    w.clock.advance(20_000)

    const { status, body } = await w.get(
      `/sessions/${id}/prompts/${prompts[1]?.toUpperCase()}/promptbook`,
    )

    t.equal(status, 200)
    t.match(body, {
      sessionId: id,
      promptbookState: 'Completed',
      evaluationResults: [
        { skillName: 'Find', promptContent: '/Find Two', evaluationResultType: 'Success' },
        { skillName: null, promptContent: 'Three', EvaluationResultContent: /"Three"/ },
      ],
    })
    t.equal(body.evaluationResults.length, 2)
    t.same(Object.keys(body.evaluationResults[0]), [
      'skillName',
      'promptContent',
      'evaluationResultType',
      'EvaluationResultContent',
    ])
  })

  await t.test('Created when no prompt has an evaluation', async t => {
    t.equal(await stateOf(t, [{ content: 'One', runs: 0 }], 0), 'Created')
  })

  await t.test('Running while any prompt lacks an ended evaluation', async t => {
    t.equal(
      await stateOf(t, [{ content: 'One' }, { content: 'Two [sim:seconds=60]' }], 30),
      'Running',
    )
    t.equal(await stateOf(t, [{ content: 'One' }, { content: 'Two', runs: 0 }], 30), 'Running')
    t.equal(
      await stateOf(
        t,
        [{ content: '[sim:state=cancelled]' }, { content: '[sim:state=someday]' }],
        30,
      ),
      'Running',
    )
  })

  await t.test('WaitingForInput if one waits for input', async t => {
    t.equal(
      await stateOf(t, [{ content: 'One' }, { content: '[sim:state=waitingForInput]' }], 30),
      'WaitingForInput',
    )
  })

  await t.test('Cancelled if all ended and one was cancelled', async t => {
    t.equal(
      await stateOf(t, [{ content: '[sim:state=cancelled]' }, { content: 'Two' }], 30),
      'Cancelled',
    )
  })

  await t.test('Completed otherwise, whatever the results', async t => {
    t.equal(
      await stateOf(t, [{ content: 'One' }, { content: '[sim:result=rejected]' }], 30),
      'Completed',
    )
  })

  await t.test('counts the newest evaluation of a prompt', async t => {
    const w = await world(t)
    const { id, prompts, path } = session(w, [{ content: 'One' }])
    w.clock.advance(30_000)
    t.equal((await w.get(path)).body.promptbookState, 'Completed')
    w.model.createEvaluation('alice', id, prompts[0] ?? '')

    const { body } = await w.get(path)
    t.match(body, {
      promptbookState: 'Running',
      evaluationResults: [{ evaluationResultType: 'Unknown' }],
    })
  })

  await t.test('shows a prompt without an evaluation as Unknown', async t => {
    const w = await world(t)
    const { body } = await w.get(session(w, [{ content: 'One', runs: 0 }]).path)
    t.match(body.evaluationResults, [
      { evaluationResultType: 'Unknown', EvaluationResultContent: null },
    ])
  })

  const readers: [string, WorldOptions][] = [
    ['as a collection', {}],
    ['as one bare entity', { simulator: { bareEvaluation: true } }],
  ]
  for (const [how, options] of readers) {
    await t.test(`reads evaluations that Graph lists ${how}`, async t => {
      const w = await world(t, options)
      const { path } = session(w, [{ content: 'One' }, { content: 'Two', runs: 0 }])
      w.clock.advance(30_000)
      const { body } = await w.get(path)
      t.match(body.evaluationResults, [
        { evaluationResultType: 'Success' },
        { evaluationResultType: 'Unknown' },
      ])
    })
  }

  await t.test('reads every page of a long session', async t => {
    const w = await world(t, { simulator: { pageSize: 2 } })
    const contents = Array.from({ length: 7 }, (_, index) => `Prompt ${index}`)
    const { path } = session(w, [
      { content: contents[0] ?? '', runs: 5 },
      ...contents.slice(1).map(content => ({ content })),
    ])
    w.clock.advance(30_000)

    const { body } = await w.get(path)

    t.same(
      body.evaluationResults.map((result: { promptContent: string }) => result.promptContent),
      contents,
    )
    t.equal(w.calls.filter(call => call === 'listPrompts').length, 4)
    t.equal(w.calls.filter(call => call === 'listEvaluations').length, 3 + 6)
  })

  await t.test('reads at most 20 lists of evaluations at once', async t => {
    const w = await world(t, { beforeGraph: () => wait(2) })
    const { path } = session(
      w,
      Array.from({ length: 60 }, (_, index) => ({ content: `Prompt ${index}` })),
    )
    const { body } = await w.get(path)
    t.equal(body.evaluationResults.length, 60)
    t.ok(w.mostAtOnce() > 1)
    t.ok(w.mostAtOnce() <= 25)
  })

  await t.test('keeps what it read of the prompts', async t => {
    const w = await world(t)
    const { id, prompts, path } = session(w, [{ content: 'One' }])
    const evaluation = w.model.listEvaluations('alice', id, prompts[0] ?? '')?.[0]
    await w.get(path)
    w.calls.length = 0

    await w.get(`/sessions/${id}/prompts/${prompts[0]}/evaluations/${evaluation?.id}`)

    t.same(w.calls, ['getEvaluation'])
  })

  await t.test('answers SessionNotFound and PromptNotFound', async t => {
    const w = await world(t)
    const { id, prompts } = session(w, [{ content: 'One' }])
    const nowhere = 'ffffffff-ffff-4fff-8fff-ffffffffffff'

    const noSession = await w.get(`/sessions/${nowhere}/prompts/${prompts[0]}/promptbook`)
    t.match(noSession, { status: 404, body: { error: { code: 'SessionNotFound' } } })
    const noPrompt = await w.get(`/sessions/${id}/prompts/${nowhere}/promptbook`)
    t.match(noPrompt, { status: 404, body: { error: { code: 'PromptNotFound' } } })
  })

  await t.test('passes on that evaluations may not be listed', async t => {
    const w = await world(t)
    const reply = await w.get(session(w, [{ content: '[sim:listEvaluations=403]' }]).path)
    t.match(reply, { status: 403, body: { error: { code: 'GraphForbidden' } } })
  })
})

t.test('a promptbook run', async t => {
  const alice = 'alice'

  await t.test('is not held open by a prompt that never ran', async t => {
    const w = await world(t)
    const first = await w.start('One [sim:seconds=1]')
    const { sessionId, promptId } = first.body
    t.equal((await w.start('[sim:createEvaluation=403] Two', { SessionId: sessionId })).status, 403)
    await w.start('Three [sim:seconds=1]', { SessionId: sessionId })
    w.clock.advance(5000)
    const { body } = await w.get(`/sessions/${sessionId}/prompts/${promptId}/promptbook`)
    t.equal(body.promptbookState, 'Completed')
    t.same(
      body.evaluationResults.map((one: any) => one.evaluationResultType),
      ['Success', 'Unknown', 'Success'],
    )
  })

  await t.test('is read no further when its caller hangs up', async t => {
    const gate = Promise.withResolvers<void>()
    let asked = 0
    const w = await world(t, {
      beforeGraph: async (_method, url) => {
        if (!url.endsWith('/evaluations')) return
        asked += 1
        await gate.promise
      },
    })
    const { id } = w.model.createSession(alice, 'large')
    const prompts = Array.from({ length: 200 }, () =>
      w.model.createPrompt(alice, id, { type: 'prompt', content: 'Hello' }),
    )
    const left = new AbortController()
    const call = fetch(`${w.url}/sessions/${id}/prompts/${prompts[0]?.id}/promptbook`, {
      signal: left.signal,
    })
    const reached = (): boolean => asked >= 25
    while (!reached()) await new Promise(setImmediate)
    left.abort()
    await t.rejects(call)
    await new Promise(resolve => setTimeout(resolve, 50))
    gate.resolve()
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(asked, 25)
  })

  await t.test('shows the newest 500 prompts, and the log says that there are more', async t => {
    const w = await world(t)
    const { id } = w.model.createSession(alice, 'endless')
    const prompts = Array.from({ length: 520 }, (_, at) =>
      w.model.createPrompt(alice, id, { type: 'prompt', content: `p${at}` }),
    )
    const { body } = await w.get(`/sessions/${id}/prompts/${prompts[0]?.id}/promptbook`)
    t.equal(body.evaluationResults.length, 500)
    t.equal(body.evaluationResults[0].promptContent, 'p20')
    t.ok(w.log.some(line => line.includes('"promptsLeftOut":20')))
  })
})

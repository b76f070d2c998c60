import t, { type Test } from 'tap'
import {
  createGraphSimulator,
  type SimulatorOptions,
} from '../../src/sandbox/graph/graph-simulator.ts'
import { createModel, type ModelOptions } from '../../src/sandbox/graph/graph-model.ts'
import { workspaceId } from '../../src/sandbox/graph/operations.ts'
import { readScript } from '../../src/sandbox/graph/markers.ts'
import { simulatedAnswer } from '../../src/sandbox/graph/simulated-content.ts'
import { dateTime } from '../../src/sandbox/graph/date-time.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'

const both = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']
const nowhere = 'ffffffff-ffff-4fff-8fff-ffffffffffff'
const root = '/beta/security/securityCopilot/workspaces'
const sessions = `${root}/default/sessions`

interface Options {
  readonly model?: Partial<ModelOptions>
  readonly simulator?: Partial<SimulatorOptions>
}

/** A simulator whose tokens are `owner` or `owner,scope`, asked without a socket. */
async function graph(t: Test, { model = {}, simulator = {} }: Options = {}) {
  const clock = leapingClock()
  const app = createGraphSimulator({
    model: createModel({ clock, ...model }),
    clock,
    authorise: token => {
      const [owner = '', scope] = token.split(',')
      return owner === '' ? undefined : { owner, scopes: scope === undefined ? both : [scope] }
    },
    ...simulator,
  })
  t.teardown(() => app.close())
  const call = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: object | string,
    token = 'alice',
  ) => {
    const reply = await app.inject({
      method,
      url,
      headers: {
        host: 'graph.example',
        ...(token && { authorization: `Bearer ${token}` }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
      },
      ...(payload !== undefined && { payload }),
    })
    const text = reply.body
    return {
      status: reply.statusCode,
      headers: reply.headers,
      text,
      body: text.startsWith('{') ? reply.json() : text,
    }
  }
  /** A session, a prompt and an evaluation; their ids. */
  const run = async (content: string) => {
    const session = (await call('POST', sessions, { displayName: 'A session' })).body.id
    const prompts = `${sessions}/${session}/prompts`
    const prompt = (await call('POST', prompts, { type: 'prompt', content })).body.id
    const evaluations = `${prompts}/${prompt}/evaluations`
    const evaluation = (await call('POST', evaluations, {})).body.id
    return {
      session,
      prompts,
      prompt,
      evaluations,
      evaluation,
      path: `${evaluations}/${evaluation}`,
    }
  }
  return { clock, call, run }
}

const tipOf = (path: string, properties: string) =>
  `Use $select to choose only the properties your app needs, as this can lead to performance improvements. For example: GET ${path}?$select=${properties}`

t.test('a written entity looks like the reference page’s sample', async t => {
  const { call } = await graph(t)
  const metadata =
    "http://graph.example/beta/$metadata#security/securityCopilot/workspaces('default')/sessions"

  const session = await call('POST', sessions, {
    '@odata.type': '#microsoft.graph.security.securityCopilot.session',
    displayName: 'Who am I',
  })
  t.equal(session.status, 201)
  t.equal(
    session.text,
    JSON.stringify({
      '@odata.context': `${metadata}/$entity`,
      id: session.body.id,
      createdDateTime: '2026-01-05T09:00:00Z',
      lastModifiedDateTime: '2026-01-05T09:00:00Z',
      displayName: 'Who am I',
    }),
  )

  const prompts = `${sessions}/${session.body.id}/prompts`
  const prompt = await call('POST', prompts, { type: 'prompt', content: 'who am I' })
  t.equal(prompt.status, 201)
  t.equal(
    prompt.text,
    JSON.stringify({
      '@odata.context': `${metadata}('${session.body.id}')/prompts/$entity`,
      id: prompt.body.id,
      type: 'prompt',
      createdDateTime: '2026-01-05T09:00:00.0000001Z',
      lastModifiedDateTime: '2026-01-05T09:00:00.0000001Z',
      skillName: null,
      content: 'who am I',
      inputs: { keyValuePairs: [] },
      skillInputDescriptors: [],
    }),
  )

  const evaluation = await call('POST', `${prompts}/${prompt.body.id}/evaluations`, {})
  t.equal(evaluation.status, 201)
  t.equal(
    evaluation.text,
    JSON.stringify({
      '@odata.context': `${metadata}('${session.body.id}')/prompts('${prompt.body.id}')/evaluations/$entity`,
      id: evaluation.body.id,
      createdDateTime: '2026-01-05T09:00:00.0000002Z',
      runStartDateTime: '0001-01-01T00:00:00Z',
      completedDateTime: '0001-01-01T00:00:00Z',
      lastModifiedDateTime: '2026-01-05T09:00:00.0000002Z',
      state: 'created',
      executionCount: 0,
      isCancelled: false,
      result: null,
    }),
  )
})

t.test('a read entity has a tip, and moves through its states', async t => {
  const { call, run, clock } = await graph(t)
  const { session, prompt, prompts, evaluations, path } = await run('who am I')
  const workspace = "security/securityCopilot/workspaces('<key>')"

  t.match((await call('GET', `${sessions}/${session}`)).body, {
    '@microsoft.graph.tips': tipOf(
      `${workspace}/sessions('<guid>')`,
      'createdDateTime,displayName',
    ),
    id: session,
  })
  t.match((await call('GET', `${prompts}/${prompt}`)).body, {
    '@microsoft.graph.tips': tipOf(
      `${workspace}/sessions('<guid>')/prompts('<guid>')`,
      'content,createdDateTime',
    ),
    // Creating an evaluation moves it.
    lastModifiedDateTime: '2026-01-05T09:00:00.0000003Z',
  })

  clock.advance(300)
  t.equal((await call('GET', path)).body.state, 'running')
  clock.advance(700)
  t.same((await call('GET', path)).body, {
    '@odata.context': `http://graph.example/beta/$metadata#security/securityCopilot/workspaces('default')/sessions('${session}')/prompts('${prompt}')/evaluations/$entity`,
    '@microsoft.graph.tips': tipOf(
      `${workspace}/sessions('<guid>')/prompts('<guid>')/evaluations('<guid>')`,
      'completedDateTime,createdDateTime',
    ),
    id: path.split('/').at(-1),
    createdDateTime: '2026-01-05T09:00:00.0000002Z',
    runStartDateTime: '2026-01-05T09:00:00.3000002Z',
    completedDateTime: '0001-01-01T00:00:00Z',
    lastModifiedDateTime: '2026-01-05T09:00:01.0009999Z',
    state: 'running',
    executionCount: 0,
    isCancelled: false,
    result: { content: null, type: 'unknown', previewState: 'ga' },
  })

  clock.advance(15_500)
  t.match((await call('GET', path)).body, {
    state: 'completed',
    completedDateTime: '2026-01-05T09:00:16.5000002Z',
    lastModifiedDateTime: '2026-01-05T09:00:16.5000002Z',
    result: {
      content: /^SIMULATED ANSWER: no AI was called\.\n.*\n$/s,
      type: 'success',
      previewState: 'private',
    },
  })
  t.equal(
    (await call('GET', `${evaluations}/`)).body.value.length,
    1,
    'a trailing slash is allowed',
  )
})

t.test('an evaluation that will be cancelled runs until then', async t => {
  const { call, run, clock } = await graph(t)
  const { path } = await run('Hello [sim:state=cancelled]')
  clock.advance(10_000)
  t.match((await call('GET', path)).body, { state: 'running', isCancelled: false })
  clock.advance(10_000)
  t.match((await call('GET', path)).body, {
    state: 'cancelled',
    isCancelled: true,
    result: { type: 'unknown' },
  })
})

t.test('a list', async t => {
  await t.test('has a context, a tip, and a count when asked', async t => {
    const { call } = await graph(t)
    const { body } = await call('GET', `${root}/default/plugins?$count=true&$top=2`)
    t.match(body, {
      '@odata.context':
        "http://graph.example/beta/$metadata#security/securityCopilot/workspaces('default')/plugins",
      '@microsoft.graph.tips': tipOf(
        "security/securityCopilot/workspaces('<key>')/plugins",
        'authorization,catalogScope',
      ),
      '@odata.count': 5,
      value: [{ name: 'Entra', isEnabled: true }, { name: 'M365' }],
    })
    t.same(Object.keys(body.value[0]), [
      'name',
      'displayName',
      'description',
      'category',
      'catalogScope',
      'previewState',
      'isEnabled',
      'authorization',
      'settings',
    ])
  })

  await t.test('is followed page by page through nextLink', async t => {
    const { call } = await graph(t, { simulator: { pageSize: 2 } })
    const names = []
    let url: string | undefined = `${root}/${workspaceId}/plugins?$select=name`
    while (url !== undefined) {
      const { body }: { body: any } = await call('GET', url)
      names.push(...body.value.map((plugin: object) => JSON.stringify(plugin)))
      url = body['@odata.nextLink']?.replace('http://graph.example', '')
    }
    t.same(
      names,
      ['Entra', 'M365', 'ThreatIntelligence.DTI', 'Fusion', 'Intune'].map(name =>
        JSON.stringify({ name }),
      ),
    )
  })

  await t.test('can be filtered as the reference pages do', async t => {
    const { call } = await graph(t)
    const names = async (filter: string) => {
      const { body } = await call(
        'GET',
        `${root}/default/plugins?$filter=${encodeURIComponent(filter)}`,
      )
      return body.value?.map((plugin: { name: string }) => plugin.name)
    }
    t.same(await names("name eq 'Entra'"), ['Entra'])
    t.same(await names("displayName eq 'it''s'"), [])
    t.same(await names('isEnabled eq false'), ['Intune'])
    t.same(await names("contains(name,'t')"), ['Entra', 'ThreatIntelligence.DTI', 'Intune'])
    t.equal(await names('name gt 5'), undefined)
  })

  await t.test('refuses options that make no sense', async t => {
    const { call } = await graph(t)
    for (const query of ['$top=-1', '$top=x', '$skiptoken=!', '$filter=x']) {
      t.match(await call('GET', `${root}/default/plugins?${query}`), {
        status: 400,
        body: { error: { code: 'BadRequest' } },
      })
    }
  })

  await t.test('of workspaces has a type on each item and no context', async t => {
    const { call } = await graph(t)
    t.same((await call('GET', root)).body, {
      value: [
        {
          '@odata.type': '#microsoft.graph.security.securityCopilot.workspace',
          id: workspaceId,
          displayName: 'SecurityCopilot_Workspace',
        },
      ],
    })
  })

  await t.test('of sessions shows the newest first, and only the caller’s', async t => {
    const { call } = await graph(t)
    for (const displayName of ['One', 'Two']) await call('POST', sessions, { displayName })
    await call('POST', sessions, { displayName: 'Bob’s' }, 'bob')
    const { body } = await call('GET', sessions)
    t.same(
      body.value.map((session: { displayName: string }) => session.displayName),
      ['Two', 'One'],
    )
  })

  await t.test('of prompts and of evaluations shows them all', async t => {
    const { call, run } = await graph(t)
    const { prompts, evaluations } = await run('Hello')
    await call('POST', evaluations, {})
    t.equal((await call('GET', prompts)).body.value.length, 1)
    t.equal((await call('GET', evaluations)).body.value.length, 2)
  })

  await t.test('of evaluations can be the newest one, bare, as in the sample', async t => {
    const { call, run } = await graph(t, { simulator: { bareEvaluation: true } })
    const { evaluations, evaluation } = await run('Hello')
    const { body } = await call('GET', `${evaluations}/`)
    t.match(body, { id: evaluation, state: 'created' })
    t.match(body['@odata.context'], /evaluations\/\$entity$/)
    t.match(
      body['@microsoft.graph.tips'],
      /evaluations\?\$select=completedDateTime,createdDateTime$/,
    )
  })
})

t.test('an evaluation is listed late', async t => {
  const listed = async ({ call }: Awaited<ReturnType<typeof graph>>, path: string) =>
    (await call('GET', path)).body.value.length

  await t.test('when the simulator is told so', async t => {
    const g = await graph(t, { model: { listedAfterSeconds: 2 } })
    const { evaluations, path } = await g.run('Hello')
    g.clock.advance(1999)
    t.equal(await listed(g, evaluations), 0)
    t.equal((await g.call('GET', path)).status, 200, 'it can be read by its id')
    g.clock.advance(1)
    t.equal(await listed(g, evaluations), 1)
  })

  await t.test('when its prompt says so', async t => {
    const g = await graph(t)
    const { evaluations } = await g.run('Hello [sim:listed=3]')
    g.clock.advance(2999)
    t.equal(await listed(g, evaluations), 0)
    g.clock.advance(1)
    t.equal(await listed(g, evaluations), 1)
  })
})

t.test('a result can be that of the first evaluations of a prompt only', async t => {
  const { call, run, clock } = await graph(t)
  const { evaluations, path } = await run('Hello [sim:result=capacityExceededx1]')
  t.match((await call('GET', path)).body, {
    state: 'completed',
    result: { type: 'capacityExceeded' },
  })
  const { body } = await call('POST', evaluations, {})
  const second = `${evaluations}/${body.id}`
  clock.advance(10_000)
  t.equal((await call('GET', second)).body.state, 'running', 'it takes the ordinary time')
  clock.advance(10_000)
  t.match((await call('GET', second)).body, { state: 'completed', result: { type: 'success' } })
})

t.test('PATCH changes a session’s name and its date', async t => {
  const { call, run, clock } = await graph(t)
  const { session } = await run('Hello')
  clock.advance(1000)

  const renamed = await call('PATCH', `${sessions}/${session}`, { displayName: 'New name' })
  t.match(renamed, {
    status: 200,
    body: { displayName: 'New name', lastModifiedDateTime: '2026-01-05T09:00:01Z' },
  })
  t.notOk('@microsoft.graph.tips' in renamed.body)
  t.match(await call('PATCH', `${sessions}/${session}`, {}), {
    status: 200,
    body: { displayName: 'New name' },
  })
  t.match(await call('PATCH', `${sessions}/${nowhere}`, { displayName: 'x' }), { status: 404 })
  t.match(await call('PATCH', `${sessions}/${nowhere}`, {}), { status: 404 })
})

t.test('a refusal has Graph’s shape and headers', async t => {
  const { call } = await graph(t)
  const { status, headers, body } = await call('GET', `${sessions}/${nowhere}`)
  t.equal(status, 404)
  t.same(body, {
    error: {
      code: 'NotFound',
      message: 'The resource does not exist.',
      innerError: {
        date: '2026-01-05T09:00:00',
        'request-id': headers['request-id'],
        'client-request-id': headers['client-request-id'],
      },
    },
  })
  t.match(headers, {
    'x-ms-ags-diagnostic': /ServerInfo/,
    'content-type': /^application\/json;odata\.metadata=minimal/,
  })
})

t.test('refuses', async t => {
  const { call, run } = await graph(t)
  const { session, prompts, prompt, evaluations, path } = await run('Hello')
  const read = 'alice,SecurityCopilotWorkspaces.Read.All'
  const write = 'alice,SecurityCopilotWorkspaces.ReadWrite.All'
  const cases: [string, number, ...Parameters<typeof call>][] = [
    ['a call without a token', 401, 'GET', sessions, undefined, ''],
    ['a write without ReadWrite.All', 403, 'POST', sessions, { displayName: 'x' }, read],
    ['a read with ReadWrite.All alone', 403, 'GET', sessions, undefined, write],
    ['an unknown workspace', 404, 'GET', `${root}/other/sessions`],
    ['another’s session', 404, 'GET', `${sessions}/${session}`, undefined, 'bob'],
    ['another’s prompts', 404, 'GET', prompts, undefined, 'bob'],
    ['another’s evaluation', 404, 'GET', path, undefined, 'bob'],
    [
      'a prompt in another’s session',
      404,
      'POST',
      prompts,
      { type: 'prompt', content: 'x' },
      'bob',
    ],
    ['an evaluation of another’s prompt', 404, 'POST', evaluations, {}, 'bob'],
    ['evaluations of an unknown prompt', 404, 'GET', `${prompts}/${nowhere}/evaluations`],
    ['an unknown prompt', 404, 'GET', `${prompts}/${nowhere}`],
    ['an unknown evaluation', 404, 'GET', `${evaluations}/${nowhere}`],
    ['a session without a name', 400, 'POST', sessions, {}],
    ['a session with a blank name', 400, 'POST', sessions, { displayName: ' ' }],
    ['a session with other properties', 400, 'POST', sessions, { displayName: 'x', owner: 'y' }],
    ['a rename with other properties', 400, 'PATCH', `${sessions}/${session}`, { owner: 'y' }],
    ['a prompt of another type', 400, 'POST', prompts, { type: 'skill', content: 'x' }],
    ['a prompt without content', 400, 'POST', prompts, { type: 'prompt' }],
    ['a prompt with inputs', 400, 'POST', prompts, { type: 'prompt', content: 'x', inputs: {} }],
    ['an evaluation with properties', 400, 'POST', evaluations, { state: 'completed' }],
    ['malformed JSON', 400, 'POST', sessions, '{"displayName":'],
    ['a method that is not published', 405, 'DELETE', `${sessions}/${session}`],
    ['cancelling, which was drafted and withdrawn', 405, 'PATCH', path, { isCancelled: true }],
    ['changing a prompt, likewise', 405, 'PATCH', `${prompts}/${prompt}/`, { content: 'x' }],
    ['an unknown path', 404, 'GET', '/beta/me'],
  ]
  for (const [what, status, ...parts] of cases) {
    const reply = await call(...parts)
    t.equal(reply.status, status, what)
    t.type(reply.body.error.innerError['request-id'], 'string', what)
  }
})

t.test('markers script failures', async t => {
  await t.test('by status, with and without Retry-After', async t => {
    const { call, run } = await graph(t)
    const { path } = await run('Hello [sim:getEvaluation=503,7]')
    const scripted = await call('GET', path)
    t.match(scripted, {
      status: 503,
      headers: { 'retry-after': '7' },
      body: { error: { code: 'ServiceUnavailable' } },
    })

    const bare = await call('GET', (await run('Hello [sim:getEvaluation=429]')).path)
    t.equal(bare.status, 429)
    t.notOk('retry-after' in bare.headers)
  })

  await t.test('500 is UnknownError with an empty message, as captured', async t => {
    const { call, run } = await graph(t)
    const { path } = await run('Hello [sim:getEvaluation=500]')
    t.match(await call('GET', path), {
      status: 500,
      body: { error: { code: 'UnknownError', message: '' } },
    })
  })

  await t.test('as a claims challenge', async t => {
    const { call, run } = await graph(t)
    const reply = await call('GET', (await run('Hello [sim:getEvaluation=claims]')).path)
    t.match(reply, {
      status: 401,
      headers: { 'www-authenticate': /error="insufficient_claims", claims="[\w=]+"$/ },
    })
  })

  await t.test('as answers that are not Graph’s', async t => {
    const { call, run } = await graph(t)
    const answers = []
    for (const kind of ['html', 'shape', 'redirect']) {
      const { status, text } = await call(
        'GET',
        (await run(`Hello [sim:getEvaluation=${kind}]`)).path,
      )
      answers.push([status, text])
    }
    t.same(answers, [
      [200, '<!doctype html><title>Gateway</title>'],
      [200, '{"id":42}'],
      [302, ''],
    ])
  })

  await t.test('of each operation by its own name', async t => {
    const { call, run } = await graph(t)
    const { prompts, evaluations, prompt } = await run(
      '[sim:listPrompts=503][sim:listEvaluations=504][sim:getPrompt=400]',
    )
    t.equal((await call('GET', prompts)).status, 503)
    t.equal((await call('GET', evaluations)).status, 504)
    t.equal((await call('GET', `${prompts}/${prompt}`)).status, 400)
    t.equal((await call('POST', sessions, { displayName: '[sim:createSession=403]' })).status, 403)
    t.equal(
      (await call('POST', prompts, { type: 'prompt', content: '[sim:createPrompt=429]' })).status,
      429,
    )
  })
})

t.test('readScript()', async t => {
  const none = {
    state: undefined,
    result: undefined,
    resultTimes: undefined,
    seconds: undefined,
    listed: undefined,
    length: undefined,
    failures: new Map(),
  }
  t.same(readScript('Hello'), none)
  t.same(
    readScript(
      '[sim:seconds=-1][sim:listed=x][sim:length=lots][sim:getEvaluation=200][sim:other=5] [sim:result]',
    ),
    none,
  )
  t.same(
    readScript('[sim:state=pending] a [sim:result=error] b [sim:seconds=1.5] c [sim:length=10]'),
    {
      ...none,
      state: 'pending',
      result: 'error',
      seconds: 1.5,
      length: 10,
    },
  )
  t.same(readScript('[sim:result=capacityExceededx2] [sim:listed=3]'), {
    ...none,
    result: 'capacityExceeded',
    resultTimes: 2,
    listed: 3,
  })
})

t.test('simulatedAnswer()', async t => {
  const asked = { content: 'Who signed in?', place: 2, resultType: 'success' }
  t.equal(simulatedAnswer(asked), simulatedAnswer(asked), 'is the same for the same prompt')
  t.not(simulatedAnswer(asked), simulatedAnswer({ ...asked, content: 'Who signed out?' }))
  t.match(
    simulatedAnswer({ ...asked, resultType: 'rejected' }),
    /^SIMULATED.*\nThe request was refused\.\n/,
  )
  t.match(simulatedAnswer({ ...asked, resultType: 'other' }), /\nThe result type is "other"\.\n/)
  t.equal(simulatedAnswer({ ...asked, length: 3000 }).length, 3000)
  t.equal(simulatedAnswer({ ...asked, length: 5 }), 'SIMUL')
})

t.test('dateTime() writes ticks as Graph does', async t => {
  t.equal(dateTime(0n), '1970-01-01T00:00:00Z')
  t.equal(dateTime(17_611_635_376_596_340n), '2025-10-22T20:05:37.659634Z')
  t.equal(dateTime(17_611_635_370_000_001n), '2025-10-22T20:05:37.0000001Z')
})

import { createServer } from 'node:http'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { AddressInfo } from 'node:net'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createModel } from '../../src/sandbox/graph/graph-model.ts'
import { createGraphSimulator } from '../../src/sandbox/graph/graph-simulator.ts'
import { samplePlugins } from '../../src/sandbox/graph/sample-plugins.ts'
import { askPerson } from '../../scripts/probe/ask-person.ts'
import { runCommand, type CommandOptions } from '../../scripts/probe/command.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import {
  authorise,
  folder,
  probeWorld,
  readAll,
  tokenOf,
  writeAll,
} from '../helpers/probe-world.ts'

const token = tokenOf([readAll, writeAll], { upn: 'canary@example.com', 'canary claim': 1 })

/** `npm run probe` with these arguments; what it printed, and its exit code. */
async function command(t: Test, args: readonly string[], more: Partial<CommandOptions> = {}) {
  const out = folder()
  t.teardown(() => rmSync(out, { recursive: true }))
  const printed: string[] = []
  const code = await runCommand({
    args: [`--out=${out}`, ...args],
    env: { GRAPH_TOKEN: token, BEARER: token },
    clock: leapingClock(),
    signal: new AbortController().signal,
    isTerminal: true,
    prompt: async () => 'no',
    readStdin: () => `${token}\n`,
    print: text => printed.push(text),
    ...more,
  })
  return { code, out, printed: printed.join('\n'), files: readdirSync(out).toSorted() }
}

const written = ['probe-report.json', 'probe-report.md', 'probe-sessions.json']

t.test('says what it will do, and does nothing without a yes', async t => {
  const w = await probeWorld(t)
  const args = [`--service=${w.url}`, `--graph=${w.graphUrl}`, '--graph-token-env=GRAPH_TOKEN']
  const asked = [...args, '--bearer-env=BEARER', '--evaluations=3']

  const { code, printed, files } = await command(t, asked)
  t.equal(code, 2)
  t.match(printed, 'at most 3 evaluations: each spends capacity')
  t.match(printed, 'the sessions "probe 2026-01-05 1" and "probe 2026-01-05 2"')
  t.match(printed, 'with the token of a user')
  t.notMatch(printed, token)
  t.same(files, [])

  const unattended = await command(t, asked, { isTerminal: false })
  t.equal(unattended.code, 2)
  t.match(unattended.printed, 'Add --yes to go on')
  t.same(w.calls, [], 'nothing was asked')

  const going = await command(t, args, { prompt: async () => ' Yes', clock: w.clock })
  t.equal(going.code, 0)
  t.same(going.files, written)
  t.match(going.printed, 'create no evaluation')
  t.match(going.printed, 'Sessions that exist: probe 2026-01-05 1, probe 2026-01-05 2.')
  t.notOk(w.calls.includes('createEvaluation'))
})

t.test('spends no more evaluations than it is given', async t => {
  for (const evaluations of [0, 1, 2, 3, 4]) {
    const w = await probeWorld(t)
    const { code } = await command(
      t,
      [`--graph=${w.graphUrl}`, '--graph-token-stdin', '--yes', `--evaluations=${evaluations}`],
      { isTerminal: false, clock: w.clock },
    )
    t.equal(code, 0)
    t.equal(w.calls.filter(name => name === 'createEvaluation').length, evaluations)
  }
})

t.test('the numbers of sessions go on from run to run', async t => {
  const w = await probeWorld(t)
  const args = [`--graph=${w.graphUrl}`, '--graph-token-stdin', '--yes']
  const { out } = await command(t, args, { clock: w.clock })
  const { printed } = await command(t, [...args, `--out=${out}`], { clock: w.clock })
  t.match(printed, 'Sessions that exist: probe 2026-01-05 4, probe 2026-01-05 5.')
  const journal = JSON.parse(readFileSync(join(out, 'probe-sessions.json'), 'utf8'))
  t.same(
    journal.sessions.map(({ exists }: { exists: string }) => exists),
    ['yes', 'yes', 'no', 'yes', 'yes', 'no'],
  )
})

t.test('without a token for Graph it asks the service alone, as an app too', async t => {
  const w = await probeWorld(t)
  const { printed, out } = await command(
    t,
    [`--service=${w.url}`, '--tenant=t', '--client-id=c', '--client-secret-env=BEARER', '--yes'],
    { clock: w.clock },
  )
  t.match(printed, 'as an app')
  t.match(printed, 'No session was created.')
  t.match(JSON.parse(readFileSync(join(out, 'probe-report.json'), 'utf8')), {
    evaluations: 0,
    facts: { service: { caller: 'app', road: { status: 404, code: 'EvaluationNotFound' } } },
  })
  t.same(w.calls, ['getPrompt', 'getEvaluation'])
})

t.test('a command line that is not right is refused, and nothing of it is shown', async t => {
  const cases: [string[], string][] = [
    [[], 'name the service, a token for Graph, or both'],
    [['--graph-token=eyJsecret'], 'an option is unknown or lacks its value'],
    [['eyJsecret'], 'an option is unknown or lacks its value'],
    [['--graph-token-env=NOTHING'], 'its environment variable is empty'],
    [['--service=http://example.com'], 'it must be an https URL'],
    [['--service=https://u:eyJsecret@example.com'], 'it must be an https URL'],
    [['--service=https://example.com', '--tenant=x'], 'belong together'],
    [['--graph-token-env=GRAPH_TOKEN', '--evaluations=5'], 'it must be 0 to 4'],
    [['--graph-token-env=GRAPH_TOKEN', '--workspace=../me'], 'it must be "default" or an id'],
  ]
  for (const [args, why] of cases) {
    const { code, printed, files } = await command(t, args)
    t.equal(code, 2)
    t.match(printed, why)
    t.match(printed, '--evaluations=N')
    t.notMatch(printed, 'eyJsecret')
    t.same(files, [])
  }
})

/** A Graph whose every free text is a canary. */
async function canaryGraph(t: Test) {
  const clock = leapingClock()
  const ids = new Set<string>()
  const graph = createGraphSimulator({
    model: createModel({
      clock,
      plugins: samplePlugins.map(plugin => ({
        ...plugin,
        name: 'CanaryPlugin',
        displayName: 'CanaryPlugin',
        description: 'canary',
        category: 'canary',
      })),
    }),
    clock,
    authorise,
    outcomes: { unknownPrompt: { status: 404, code: 'canary code' } },
  })
  graph.addHook('onSend', async (_request, reply, payload) => {
    const [, ...found] = String(payload).match(/[\da-f]{8}-[\da-f-]{27}/g) ?? []
    found.forEach(id => ids.add(id))
    reply.headers({ 'x-canary': 'canary', 'retry-after': 'canary' })
    const body = JSON.parse(String(payload))
    if (body.error) body.error.message = 'canary'
    const entity = body.value?.[0] ?? body
    entity['canary member'] = 'canary'
    entity['canary@example.com'] = 'canary'
    entity.note = { canary: { canary: 'canary' } }
    if (entity.result) Object.assign(entity.result, { content: 'canary', ca: 'canary' })
    if (entity.state === 'running') entity.state = 'canary state'
    if (typeof entity.displayName === 'string') entity.displayName = 'canary'
    return JSON.stringify(body)
  })
  t.teardown(() => graph.close())
  return { clock, ids, url: `${await graph.listen({ host: '127.0.0.1', port: 0 })}/beta` }
}

t.test('no prompt, answer, token, id or name is in what it writes and prints', async t => {
  const { clock, ids, url } = await canaryGraph(t)
  const { printed, out, files } = await command(
    t,
    [`--graph=${url}`, '--graph-token-env=GRAPH_TOKEN', '--evaluations=4', '--yes'],
    { clock },
  )
  t.same(files, written)
  t.ok(ids.size > 10)
  for (const text of [printed, ...files.map(file => readFileSync(join(out, file), 'utf8'))]) {
    t.notMatch(text, /canary/i)
    t.notMatch(text, /SIMULATED|single word|AskGpt|aaaaa/)
    t.notMatch(text, /[\da-f]{8}-[\da-f]{4}-/i, 'no id')
    for (const part of token.split('.')) t.notOk(text.includes(part))
  }
  const { facts } = JSON.parse(readFileSync(join(out, 'probe-report.json'), 'utf8'))
  t.match(facts.shapes.getEvaluation, {
    withheld: ['text'],
    note: ['object'],
    'result/ca': ['text'],
  })
  t.same(
    facts.evaluation.states.map(({ state }: { state: string }) => state),
    ['created', 'withheld', 'completed'],
  )
})

/** `npm run probe` as its own process, with the token from standard input. */
function start(graphUrl: string, out: string) {
  const child = spawn(
    process.execPath,
    [
      'scripts/probe/run-probe.ts',
      `--graph=${graphUrl}`,
      '--graph-token-stdin',
      '--yes',
      `--out=${out}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  child.stdin.end(token)
  const chunks: string[] = []
  child.stdout.on('data', chunk => chunks.push(String(chunk)))
  const exit = once(child, 'close').then(([code]) => ({ code, printed: chunks.join('') }))
  return { child, exit }
}

t.test('killed at any point it leaves whole files, which say what exists', async t => {
  for (const after of [1, 9, 10, 13, 19, 20, 27]) {
    const clock = leapingClock()
    const model = createModel({ clock })
    const graph = createGraphSimulator({ model, clock, authorise })
    let calls = 0
    let reached = () => undefined as void
    const arrived = new Promise<void>(resolve => {
      reached = resolve
    })
    // The call comes in, and is answered or not: the process is gone by then.
    graph.addHook('preHandler', async () => {
      calls += 1
      if (calls === after) reached()
      if (calls >= after) await new Promise(resolve => setTimeout(resolve, 50))
    })
    const url = `${await graph.listen({ host: '127.0.0.1', port: 0 })}/beta`
    const out = folder()
    const { child, exit } = start(url, out)
    await arrived
    child.kill('SIGKILL')
    await exit
    await graph.close()

    t.notOk(existsSync(join(out, 'probe-report.json')), `after ${after} calls`)
    t.notOk(existsSync(join(out, 'probe-report.md')))
    const journal = join(out, 'probe-sessions.json')
    const { sessions } = existsSync(journal)
      ? JSON.parse(readFileSync(journal, 'utf8'))
      : { sessions: [] }
    const told = sessions.map(({ name }: { name: string }) => name)
    const existing = model.listSessions('alice').map(({ displayName }) => displayName)
    t.ok(
      existing.every(name => told.includes(name)),
      `${existing.join()} within ${told.join()}`,
    )
    rmSync(out, { recursive: true })
  }
})

t.test('as a process it stops when it is told to', async t => {
  const clock = leapingClock()
  const graph = createGraphSimulator({ model: createModel({ clock }), clock, authorise })
  const url = `${await graph.listen({ host: '127.0.0.1', port: 0 })}/beta`
  const out = folder()
  t.teardown(() => graph.close())
  t.teardown(() => rmSync(out, { recursive: true }))
  const { child, exit } = start(url, out)
  child.stdout.once('data', () => child.kill('SIGTERM'))
  t.match(await exit, { code: 1, printed: /Stopped: no report was written/ })
})

t.test('a person is asked, and may stop instead', async t => {
  const streams = () => ({ input: new PassThrough(), output: new PassThrough() })
  const answering = streams()
  const answer = askPerson('Go on?', answering, new AbortController().signal)
  answering.input.write('yes\n')
  t.equal(await answer, 'yes')
  t.equal(await askPerson('Go on?', streams(), AbortSignal.abort()), '')
})

t.test('asked to stop, it says which sessions exist and writes no report', async t => {
  const w = await probeWorld(t)
  const stop = new AbortController()
  const { code, printed, files } = await command(
    t,
    [`--graph=${w.graphUrl}`, '--graph-token-env=GRAPH_TOKEN', '--evaluations=1', '--yes'],
    {
      signal: stop.signal,
      clock: {
        now: w.clock.now,
        monotonic: w.clock.monotonic,
        async sleep() {
          stop.abort()
        },
      },
    },
  )
  t.equal(code, 1)
  t.match(printed, 'Sessions that exist: probe 2026-01-05 1')
  t.same(files, ['probe-sessions.json'])
})

t.test('what stands in the way is told, with the way out', async t => {
  /** A server that answers everything so. */
  async function serving(status: number, type: string, body: string, headers = {}) {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type, ...headers }).end(body)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(() => server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
  const graph = async (url: string, env: Record<string, string> = {}) =>
    command(t, [`--graph=${url}`, '--graph-token-env=GRAPH_TOKEN', '--yes'], {
      env: { GRAPH_TOKEN: token, ...env },
    })
  const json = 'application/json'
  const refusal = (code: string) => JSON.stringify({ error: { code } })

  await t.test('a page of a proxy', async t => {
    const { printed } = await graph(await serving(200, 'text/html', '<html>'))
    t.match(printed, 'A page or a redirect came')
  })
  await t.test('a redirect', async t => {
    const { printed } = await graph(await serving(302, json, '', { location: '/login' }))
    t.match(printed, 'A page or a redirect came')
  })
  await t.test('a proxy that refuses', async t => {
    const { printed } = await graph(await serving(407, json, '{}'))
    t.match(printed, 'The proxy refuses')
  })
  await t.test('a server that is not there', async t => {
    t.match((await graph('http://127.0.0.1:1')).printed, 'cannot be reached')
  })
  await t.test('a token for another audience, and one that expired', async t => {
    const url = await serving(401, json, refusal('InvalidAuthenticationToken'))
    t.match((await graph(url)).printed, 'Graph does not accept the token (401)')
    const other = tokenOf([readAll, writeAll], { aud: 'api://x' })
    t.match((await graph(url, { GRAPH_TOKEN: other })).printed, 'meant for something else')
    const expired = tokenOf([readAll, writeAll], { exp: 1 })
    t.match((await graph(url, { GRAPH_TOKEN: expired })).printed, 'Graph has expired')
    t.match((await graph(url, { GRAPH_TOKEN: 'opaque' })).printed, 'Graph does not accept')
  })
  await t.test('an app without permissions', async t => {
    const url = await serving(403, json, refusal('Forbidden'))
    const app = tokenOf([], { scp: undefined, roles: ['x'], ver: '2.0' })
    const { printed } = await graph(url, { GRAPH_TOKEN: app })
    t.match(printed, 'The token stands for an app')
  })
  await t.test('a workspace that is unknown', async t => {
    const w = await probeWorld(t)
    const { printed } = await command(
      t,
      [`--graph=${w.graphUrl}`, '--graph-token-env=GRAPH_TOKEN', '--workspace=other', '--yes'],
      { clock: w.clock },
    )
    t.match(printed, 'Graph does not know the workspace')
  })
  await t.test('a service that refuses, as its document of errors says', async t => {
    const service = async (code: string, bearer: string) => {
      const url = await serving(403, json, refusal(code))
      const args = [`--service=${url}`, '--bearer-env=BEARER', '--yes']
      return (await command(t, args, { env: { BEARER: bearer } })).printed
    }
    const printed = await service('ScopeMissing', tokenOf([], { exp: 1 }))
    t.match(printed, '403 ScopeMissing. Ask for the scope')
    t.match(printed, 'The token for the service is meant for Microsoft Graph')
    t.match(printed, 'The token for the service has expired')
    t.match(printed, 'The service is not ready')
    t.match(await service('Strange', 'opaque'), 'It may not be this service')
  })
})

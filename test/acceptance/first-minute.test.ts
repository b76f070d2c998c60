import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify, stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { greeting } from '../../src/sandbox/greeting.ts'
import { readableText } from '../../src/sandbox/readable-log.ts'
import { version } from '../../src/version.ts'
import { freePort } from '../helpers/free-port.ts'
import { runProcess } from '../helpers/process.ts'

// What tap sets is kept, so that the lines run there are counted.
const { PATH = '', NODE_OPTIONS = '' } = process.env
const plain = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^_?TAP/.test(name))),
  NODE_OPTIONS,
  PATH,
  HOME: '/nonexistent',
  npm_config_update_notifier: 'false',
  TERM: 'xterm',
}

/** `npm run sandbox` on a terminal of its own; whatever it started is ended with the test. */
function terminal(t: Test, env: Record<string, string>) {
  const child = spawn('script', ['-qec', 'npm run -s sandbox', '/dev/null'], {
    env: { ...plain, ...env },
    detached: true,
  })
  let output = ''
  child.stdout.on('data', chunk => {
    output += String(chunk)
  })
  const exit = once(child, 'exit')
  t.teardown(async () => {
    if (child.exitCode === null) process.kill(-(child.pid as number), 'SIGKILL')
    await exit
  })
  /** Waits until a text is shown. */
  async function shown(text: string | RegExp): Promise<string> {
    while (!(typeof text === 'string' ? output.includes(text) : text.test(output))) await wait(50)
    return output
  }
  return { child, exit, shown, output: () => output }
}

t.test('npm run sandbox, on a terminal', async t => {
  const port = await freePort()
  const began = performance.now()
  const { child, exit, shown } = terminal(t, { PORT: String(port) })

  await t.test('greets with where it is and what to paste', async t => {
    const banner = await shown('Ctrl-C ends it')
    t.match(banner, `Security Copilot Connector ${version}`)
    t.match(banner, 'no AI is called')
    for (const path of ['/docs', '/watch', '/run-promptbook'])
      t.match(banner, `http://localhost:${port}${path}`)
  })

  await t.test('answers what it says to paste, within 15 s of its start', async t => {
    const text = stripVTControlCharacters(await shown('Ctrl-C ends it')).replaceAll('\r', '')
    const [command = ''] = /curl http.+process-prompt.+\\\n.+'$/m.exec(text) ?? []
    const { stdout } = await promisify(execFile)('sh', ['-c', command.replace('curl', 'curl -s')])
    t.match(JSON.parse(stdout), { evaluationState: 'Completed', evaluationResultType: 'Success' })
    const took = performance.now() - began
    t.ok(took < 15_000, `${Math.round(took)} ms`)
  })

  await t.test('logs lines for people: a prompt that begins, and how it ended', async t => {
    const log = await shown(/POST \/process-prompt 200/)
    t.match(log, /prompt 1 of session [0-9a-f]{8} began/)
    t.match(log, /prompt 1 of session [0-9a-f]{8} ended: completed, success \(2\.\d s\)/)
    t.notMatch(log, /"level"/)
    t.match(log, '\u001B[32mINFO', 'in colour')
    t.notMatch(log, /two countries today\?.+two countries today\?/s, 'and no text of the prompt')
  })

  await t.test('ends with Ctrl-C', async () => {
    child.stdin.write('\u0003')
    await exit
  })
})

t.test('npm run sandbox, on a terminal, tells a taken port', async t => {
  const port = await freePort()
  runProcess(t, 'src/sandbox/main.ts', { PORT: String(port) })
  while (
    !(await fetch(`http://127.0.0.1:${port}/livez`).then(
      () => true,
      () => false,
    ))
  )
    await wait(50)
  const second = terminal(t, { PORT: String(port), LOG_LEVEL: 'warn' })
  await second.exit
  t.match(second.output(), 'the port is taken: set PORT to another one')
  const third = terminal(t, { PORT: String(await freePort()), LOG_LEVEL: 'loud' })
  await third.exit
  t.match(third.output(), 'LOG_LEVEL must be one of')
})

t.test('the calls that README.md and the sandbox’s page show work as they stand', async t => {
  const port = await freePort()
  const { output } = runProcess(t, 'src/sandbox/main.ts', { PORT: String(port) })
  while (!output().includes('no AI is called')) await wait(20)
  for (const page of ['README.md', 'src/sandbox/README.md']) {
    const calls = Array.from(
      readFileSync(page, 'utf8').matchAll(/^```sh\n(curl localhost:8080.+?)^```/gms),
      ([, call = '']) => call,
    )
    t.equal(calls.length, 1, page)
    for (const call of calls) {
      const command = call.replace('curl localhost:8080', `curl -s localhost:${port}`)
      const { stdout } = await promisify(execFile)('sh', ['-c', command])
      t.match(JSON.parse(stdout), { evaluationResultType: 'Success' }, page)
    }
  }
})

t.test('without a terminal, the sandbox logs JSON and does not greet', async t => {
  const { child, exit, output } = runProcess(t, 'src/sandbox/main.ts', {
    PORT: String(await freePort()),
  })
  while (!output().includes('no AI is called')) await wait(20)
  for (const line of output().trim().split('\n')) t.type(JSON.parse(line).level, 'number')
  child.kill('SIGTERM')
  t.equal((await exit).code, 0)
})

t.test('greeting()', async t => {
  const options = {
    url: 'http://localhost:8080',
    version: '1.2.3',
    promptbooks: true,
    colours: false,
    platform: 'linux',
  }

  await t.test('has a promptbook to run, where there are any', async t => {
    t.match(greeting(options), '/run-promptbook')
    t.notMatch(greeting({ ...options, promptbooks: false }), '/run-promptbook')
    const [, name] = /"PromptbookId":"([^"]+)"/.exec(greeting(options)) ?? []
    const file = readFileSync('src/sandbox/promptbooks/incident-investigation.yaml', 'utf8')
    t.match(file, `name: ${name}\n`)
  })

  await t.test('has the commands of the shell at hand', async t => {
    t.match(greeting({ ...options, platform: 'win32' }), /Invoke-RestMethod http.+-Body '\{"Pr/s)
    t.notMatch(greeting({ ...options, platform: 'win32' }), 'curl')
  })

  await t.test('fits into 100 columns, and has colours only if asked', async t => {
    const text = greeting(options)
    t.same(
      text.split('\n').filter(line => line.length > 100),
      [],
    )
    t.notMatch(text, '\u001B')
    t.match(greeting({ ...options, colours: true }), '\u001B[')
  })
})

t.test('readableText() says in a sentence what a line of the log holds', async t => {
  const request = { msg: 'request', method: 'GET', durationMs: 40, graphCalls: 0 }
  const cases: [object, string][] = [
    [{ ...request, route: '/livez', status: 200 }, 'GET /livez 200 (0.0 s)'],
    [
      { ...request, status: 404, code: 'NotFound', graphCalls: 2 },
      'GET unknown path 404 NotFound (0.0 s, 2 calls to Graph)',
    ],
    [{ msg: 'redis: away', err: { message: 'refused' } }, 'redis: away: refused'],
    [{ msg: 'Server listening' }, 'Server listening'],
  ]
  for (const [line, text] of cases) t.equal(readableText(line as never), text)
})

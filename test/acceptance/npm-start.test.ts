import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { environmentVariables } from '../helpers/environment.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering, runProcess } from '../helpers/process.ts'

const { PATH = '' } = process.env
const plain = { PATH, HOME: '/nonexistent', npm_config_update_notifier: 'false' }

/**
 * npm with this environment and nothing else, as the arguments of env: tap would have every process
 * write down what it ran.
 */
const npmArguments = (env: Record<string, string>, ...args: string[]): string[] => [
  '-i',
  ...Object.entries({ ...plain, ...env }).map(([name, value]) => `${name}=${value}`),
  'npm',
  ...args,
]

/** Runs a script by npm; whatever it started is ended with the test. */
function npm(t: Test, script: string, env: Record<string, string>) {
  const child = spawn('env', npmArguments(env, 'run', script), { detached: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += String(chunk)
    })
  }
  const exit = once(child, 'exit')
  t.teardown(() => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL')
    } catch {
      // All of them are gone.
    }
  })
  return { child, exit, output: () => output }
}

/** How long it takes until nobody answers any more, in ms; 15 s at most. */
async function untilGone(url: string): Promise<number> {
  const began = performance.now()
  while (performance.now() - began < 15_000) {
    const there = await fetch(url).then(
      () => true,
      () => false,
    )
    if (!there) break
    await wait(50)
  }
  return performance.now() - began
}

t.test('SIGTERM to npm ends the service', async t => {
  const cases: [string, Record<string, string>][] = [
    ['start', environmentVariables],
    ['sandbox', {}],
  ]
  for (const [script, env] of cases) {
    await t.test(`that npm run ${script} started, within 12 s`, async t => {
      const port = await freePort()
      const { child, exit } = npm(t, script, { ...env, PORT: String(port) })
      await answering(`http://127.0.0.1:${port}/livez`)
      child.kill('SIGTERM')
      await exit
      t.ok((await untilGone(`http://127.0.0.1:${port}/livez`)) < 12_000)
    })
  }
})

t.test('npm start writes nothing where nothing changed', async t => {
  // Once, so that it is there.
  execFileSync('env', npmArguments({}, 'run', '-s', 'build'))
  const inodes = () =>
    readdirSync('dist', { recursive: true, encoding: 'utf8' }).map(path => {
      const { ino, mtimeMs } = statSync(join('dist', path))
      return [path, ino, mtimeMs]
    })
  const before = inodes()
  // As a user who may not write, if this one can become another.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const { status, stderr } = spawnSync('env', npmArguments({ PORT: 'x' }, 'start'), {
    encoding: 'utf8',
    ...nobody,
  })
  t.equal(status, 1)
  t.match(stderr, /^Cannot read the configuration: PORT must be /, 'it came as far as that')
  t.same(inodes(), before)
})

t.test('an old Node is told of in one sentence', async t => {
  const old = '/usr/bin/node'
  const version = existsSync(old) ? execFileSync(old, ['--version'], { encoding: 'utf8' }) : 'v24'
  if (Number.parseInt(version.slice(1), 10) >= 24) {
    t.comment(`no old Node is here: ${old} is ${version}`)
    return
  }
  // Where npm ci has not been run.
  // npm looks for programs in every folder above, so it is not below this one.
  const folder = mkdtempSync(join(tmpdir(), 'old-node-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'scripts'))
  for (const file of ['package.json', 'scripts/require-node.js'])
    copyFileSync(file, join(folder, file))
  for (const script of ['start', 'sandbox', 'test', 'dev']) {
    const { status, stderr } = spawnSync(
      'env',
      npmArguments({ PATH: `${dirname(old)}:/bin` }, 'run', script),
      { cwd: folder, encoding: 'utf8' },
    )
    t.equal(status, 1)
    t.match(stderr, /^Cannot start on Node [\d.]+: Node 24 is needed\. Run "npm ci".*\n$/, script)
  }
})

t.test('a service that cannot listen names the setting to change', async t => {
  const port = await freePort()
  const env = { ...environmentVariables, PORT: String(port) }
  runProcess(t, 'src/server.ts', env)
  await answering(`http://127.0.0.1:${port}/livez`)
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^Cannot listen on 127\.0\.0\.1, port \d+: the port is taken: set PORT to another one\n$/],
    [
      { PORT: String(await freePort()), METRICS_PORT: String(port) },
      /port \d+: the port is taken: set METRICS_PORT to another one\n$/,
    ],
    [{ HOST: '192.0.2.1' }, /this machine has no such address: set HOST to one that it has\n$/],
    [{ HOST: 'nowhere.invalid' }, /^Cannot listen at HOST: HOST is a name that nobody knows\n$/],
    [{ METRICS_PORT: String(port) }, /METRICS_PORT must not be the port of the service, PORT\n$/],
  ]
  for (const [more, expected] of cases) {
    const { code, output } = await runProcess(t, 'src/server.ts', { ...env, ...more }).exit
    t.equal(code, 1)
    t.match(output, expected)
  }
  const { output } = await runProcess(t, 'src/sandbox/main.ts', { PORT: String(port) }).exit
  t.match(output, /^Cannot listen .*: the port is taken: set PORT to another one$/m)
})

t.test('the health check asks where the service listens', async t => {
  for (const HOST of ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost', '127.0.0.9']) {
    const PORT = String(await freePort())
    const check = async () =>
      (await runProcess(t, 'src/healthcheck.ts', { HOST: ` ${HOST}`, PORT, ...proxied }).exit).code
    // Nobody listens on this port of a proxy.
    const proxied = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.1:1' }
    t.equal(await check(), 1, `${HOST}, and nobody there`)
    const service = runProcess(t, 'src/sandbox/main.ts', { HOST, PORT })
    while (!service.output().includes('Server listening')) await wait(10)
    t.equal(await check(), 0, HOST)
    service.child.kill('SIGKILL')
  }
})

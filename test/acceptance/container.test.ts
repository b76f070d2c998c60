import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import dockerignoreModule from '@balena/dockerignore'
import { DockerfileParser } from 'dockerfile-ast'
import { validate } from 'dockerfile-utils'
import t, { type Test } from 'tap'
import { version } from '../../src/version.ts'
import { environmentVariables } from '../helpers/environment.ts'
import { freePort } from '../helpers/free-port.ts'
import { answering } from '../helpers/process.ts'
import { request } from '../helpers/world.ts'

// Its types describe another kind of module.
const dockerignore = dockerignoreModule as unknown as typeof dockerignoreModule.default
const text = readFileSync('Dockerfile', 'utf8')
const instructions = DockerfileParser.parse(text).getInstructions()
const argumentsOf = (keyword: string): string[] =>
  instructions
    .filter(one => one.getKeyword() === keyword)
    .map(one => one.getArgumentsContent() ?? '')
const node = dirname(process.execPath)

/** The context as Docker sends it: what .dockerignore leaves. */
function buildContext(to: string): void {
  const rules = dockerignore().add(readFileSync('.dockerignore', 'utf8'))
  const files = readdirSync('.', { recursive: true, encoding: 'utf8' }).filter(
    path =>
      !/^(node_modules|\.git)(\/|$)/.test(path) && !rules.ignores(path) && statSync(path).isFile(),
  )
  for (const file of files) cpSync(file, join(to, file))
}

/**
 * Does what the Dockerfile says in empty folders, stage by stage, and makes the last one read-only.
 * Returns that stage's folder and environment.
 */
async function build(
  t: Test,
): Promise<{ directory: string; env: Record<string, string>; context: string }> {
  const root = mkdtempSync(join(tmpdir(), 'container-'))
  chmodSync(root, 0o755)
  const context = join(root, 'context')
  buildContext(context)
  const stages = new Map<string, string>()
  let directory = ''
  let env: Record<string, string> = {}
  for (const instruction of instructions) {
    const content = instruction.getArgumentsContent() ?? ''
    switch (instruction.getKeyword()) {
      case 'FROM': {
        const name = / AS (\w+)$/.exec(content)?.[1] ?? 'last'
        directory = join(root, name)
        env = {}
        stages.set(name, directory)
        break
      }
      case 'WORKDIR':
        mkdirSync(directory, { recursive: true })
        t.equal(content, '/app')
        break
      case 'COPY': {
        const [, from] = / --from=(\w+) /.exec(instruction.getTextContent()) ?? []
        const [target = '', ...sources] = content.split(' ').toReversed()
        for (const source of sources) {
          const base = from === undefined ? context : (stages.get(from) ?? '')
          const to = join(directory, target, target.endsWith('/') ? basename(source) : '')
          cpSync(join(base, source.replace(/^\/app\//, '')), to, { recursive: true })
        }
        break
      }
      case 'RUN':
        await promisify(execFile)('sh', ['-c', content], {
          cwd: directory,
          env: { ...process.env, NODE_OPTIONS: '' },
        })
        break
      case 'ENV':
        for (const [, name = '', quoted, bare] of content.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)) {
          env[name] = quoted ?? bare ?? ''
        }
        break
      default:
    }
  }
  await promisify(execFile)('chmod', ['-R', 'a-w,a+rX', directory])
  t.teardown(async () => {
    await promisify(execFile)('chmod', ['-R', 'u+w', root])
    rmSync(root, { recursive: true })
  })
  return { directory, env, context }
}

t.test('the Dockerfile', async t => {
  await t.test('is free of what a maintained linter finds', async t => {
    t.same(
      validate(text).map(({ message, range }) => [range.start.line + 1, message]),
      [],
    )
  })

  await t.test(
    'pins its base, runs as a numeric user, without a shell, and says what it is',
    async t => {
      for (const from of argumentsOf('FROM')) t.match(from, /^node:24\.21\.0-/)
      t.equal(argumentsOf('FROM').length, 2)
      t.same(argumentsOf('USER'), ['10001:10001'])
      for (const keyword of ['CMD', 'HEALTHCHECK'])
        t.match(argumentsOf(keyword)[0], /\["node", "dist\/\w+\.js"\]$/)
      const labels = argumentsOf('LABEL').join(' ')
      for (const name of ['title', 'description', 'licenses'])
        t.match(labels, `org.opencontainers.image.${name}=`)
      t.match(labels, `org.opencontainers.image.version="${version}"`)
    },
  )
})

t.test('the container, without an engine: its steps in an empty folder', async t => {
  const { directory, env, context } = await build(t)

  await t.test('holds production code and dependencies only', async t => {
    t.same(
      new Set(readdirSync(directory)),
      new Set(['LICENSE', 'dist', 'icon.png', 'node_modules', 'package.json']),
    )
    t.same(
      new Set(readdirSync(context)),
      new Set([
        '.npmrc',
        'LICENSE',
        'icon.png',
        'package.json',
        'package-lock.json',
        'scripts',
        'src',
      ]),
    )
    const installed = new Set(readdirSync(join(directory, 'node_modules')))
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    )
    for (const name of Object.keys(dependencies))
      t.ok(installed.has(name.split('/')[0] ?? ''), name)
    const production = new Set(Object.keys(dependencies).map(name => name.split('/')[0]))
    for (const name of [
      'tap',
      'typescript',
      'playwright-core',
      'selfsigned',
      ...Object.keys(optionalDependencies),
    ]) {
      t.notOk(installed.has(name), name)
      t.ok(name in { ...devDependencies, ...optionalDependencies } && !production.has(name))
    }
    t.notOk(readdirSync(join(directory, 'dist')).some(name => /sandbox|simulator/.test(name)))
  })

  await t.test(
    'starts as an unprivileged user on a read-only tree, is healthy, and stops with 0',
    async t => {
      const port = String(await freePort())
      const as = ['--reuid=10001', '--regid=10001', '--clear-groups', '--no-new-privs']
      const running = { ...environmentVariables, ...env, PORT: port, PATH: node, HOST: '127.0.0.1' }
      const [command = '', entry = ''] = JSON.parse(argumentsOf('CMD')[0] ?? '') as string[]
      // `env -i`: tap would have every process write its coverage, which this user cannot.
      const variables = Object.entries(running).map(([name, value]) => `${name}=${value}`)
      const start = (file: string) =>
        spawn('/usr/bin/env', ['-i', ...variables, '/usr/bin/setpriv', ...as, command, file], {
          cwd: directory,
          stdio: 'ignore',
        })

      const service = start(entry)
      const exited = once(service, 'exit')
      t.teardown(() => service.kill('SIGKILL'))
      await answering(`http://127.0.0.1:${port}/livez`)
      t.equal((await request(`http://127.0.0.1:${port}/docs`)).status, 200)
      const owner = readFileSync(`/proc/${service.pid}/status`, 'utf8')
      t.match(owner, /^Uid:\t10001\t10001\t10001\t10001$/m)
      await t.rejects(
        promisify(execFile)('/usr/bin/setpriv', [...as, '/usr/bin/touch', 'x'], { cwd: directory }),
      )

      const [, check = ''] = /"(dist\/\w+\.js)"\]$/.exec(argumentsOf('HEALTHCHECK')[0] ?? '') ?? []
      t.same(await once(start(check), 'exit'), [0, null])
      service.kill('SIGTERM')
      t.same(await exited, [0, null])
      t.same(await once(start(check), 'exit'), [1, null])
    },
  )
})

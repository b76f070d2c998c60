import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { environment } from '../../src/config.ts'
import { operations } from '../../src/sandbox/graph/markers.ts'
import { evaluationPath, world } from '../helpers/world.ts'

const readme = await readFile('README.md', 'utf8')

t.test('README.md', async t => {
  await t.test('lists every setting with its default and meaning, and no other', async t => {
    const rows = Array.from(
      readme.matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$/gm),
      ([, ...cells]) => cells,
    )
    t.same(
      rows.map(row => row.map(cell => cell.replaceAll('\\|', '|'))),
      Object.entries(environment.shape).map(([name, schema]) => {
        const fallback = schema.safeParse(undefined).data
        return [name, fallback === undefined ? '–' : `\`${String(fallback)}\``, schema.description]
      }),
    )
  })

  await t.test('shows a prompt and the answer that it gets', async t => {
    const [, sent = ''] = /-d '(\{.+\})'/.exec(readme) ?? []
    const [, shown = ''] = /```json\n(.+?)```/s.exec(readme) ?? []
    const w = await world(t)

    const { status, body } = await w.post('/process-prompt', sent)

    t.equal(status, 200)
    const { sessionId, promptId, evaluationId } = JSON.parse(shown)
    t.same({ ...body, sessionId, promptId, evaluationId }, JSON.parse(shown))
  })

  await t.test('shows what each marker does', async t => {
    const w = await world(t)
    const rows = Array.from(
      readme.matchAll(/^\| `(\[sim:[^`]+\])` \| (\d+) \| `(\w+)` \| (?:`(\w+)` )?\|$/gm),
      ([, marker = '', status, stateOrError, resultType]) => ({
        marker,
        status: Number(status),
        stateOrError,
        resultType,
      }),
    )
    t.ok(rows.length > 20)
    for (const { marker, status, stateOrError, resultType } of rows) {
      const submitted = await w.start(`${marker} Hello`)
      w.clock.advance(20_000)
      const reply = submitted.status === 202 ? await w.get(evaluationPath(submitted)) : submitted
      t.same(
        [
          reply.status,
          reply.body.evaluationState ?? reply.body.error.code,
          reply.body.evaluationResultType,
        ],
        [status, stateOrError, resultType],
        marker,
      )
    }
  })

  await t.test('names the operations that can be made to fail, and the plugins', async t => {
    const [, named = ''] = /OPERATION is (.+?)\n\n/s.exec(readme) ?? []
    const words = Array.from(named.matchAll(/`([\w.]+)`/g), ([, word = '']) => word)
    const scripted = operations.filter(name => /Prompt|Evaluation|createSession/.test(name))
    const plugins = (await world(t)).model.listPlugins().map(plugin => plugin.name)
    t.same(new Set(words), new Set([...scripted, ...plugins]))
  })

  await t.test('names every script', async t => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
    const text = readme + (await readFile('CONTRIBUTING.md', 'utf8'))
    for (const name of Object.keys(scripts).filter(script => !script.startsWith('pre'))) {
      t.ok(
        ['start', 'test'].includes(name)
          ? text.includes(`npm ${name}`)
          : text.includes(`npm run ${name}`),
        name,
      )
    }
  })
})

t.test('every link in a document leads to a file', async t => {
  const documents = [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    ...readdirSync('docs').map(name => `docs/${name}`),
  ].filter(name => name.endsWith('.md'))
  for (const document of documents) {
    const text = await readFile(document, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      await t.resolves(access(join(dirname(document), target)), `${document}: ${target}`)
    }
  }
})

t.test('the tests run on the Node that package.json asks for', async t => {
  const { engines, optionalDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  t.equal(engines.node, '>=24')
  t.match(process.version, /^v24\./)
  t.ok(Object.values(optionalDependencies).every(version => version === '24.21.0'))
})

t.test('docs/import.md', async t => {
  const guide = await readFile('docs/import.md', 'utf8')

  await t.test(
    'names the placeholders of apiProperties.json, each replaced by its command',
    async t => {
      const properties = await readFile('apiProperties.json', 'utf8')
      const placeholders = new Set(properties.match(/<<[^>]+>>/g))
      t.same(new Set(guide.match(/<<[^>]+>>/g)), placeholders)
      t.notMatch(properties, /[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/i)
    },
  )

  await t.test('shows the colour, and the commands, as they are', async t => {
    const { properties } = JSON.parse(await readFile('apiProperties.json', 'utf8'))
    t.ok(guide.includes(`\`${properties.iconBrandColor}\``))
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8'))
    for (const [, name = ''] of guide.matchAll(/npm run ([\w:]+)/g)) t.ok(name in scripts, name)
    const template = JSON.parse(
      await readFile('examples/logic-apps-connector/connector.json', 'utf8'),
    )
    const [, deployment = ''] = /connector\.json (.+?)\naz /s.exec(guide) ?? []
    const passed = Array.from(deployment.matchAll(/(\w+)=/g), ([, name = '']) => name)
    const required = Object.keys(template.parameters).filter(
      name => !('defaultValue' in template.parameters[name]),
    )
    t.same(new Set(passed), new Set(required))
  })
})

t.test('docs/dependencies.md answers for each production dependency, and no other', async t => {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  const rows = (await readFile('docs/dependencies.md', 'utf8')).matchAll(/^\| `([^`]+)` \|/gm)
  t.same(
    Array.from(rows, ([, name]) => name),
    Object.keys(dependencies),
  )
})

t.test(
  'every package is locked by its hash, and none runs a script when it is installed',
  async t => {
    const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8'))
    const installed = Object.entries<{ integrity?: string; hasInstallScript?: boolean }>(
      packages,
    ).filter(([path]) => path)
    t.ok(installed.length > 100)
    t.same(
      installed
        .filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
        .map(([path]) => path),
      [],
    )
    t.same(
      installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path),
      [],
    )
  },
)

t.test('`npm run sbom` lists the production dependencies as CycloneDX, with hashes', async t => {
  const { stdout } = await promisify(execFile)('npm', ['run', '-s', 'sbom'], {
    maxBuffer: 100_000_000,
  })
  const { bomFormat, components } = JSON.parse(stdout)
  t.equal(bomFormat, 'CycloneDX')
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  const listed = new Set(
    components.map(
      ({ group, name, version }: any) => `${group ? `${group}/` : ''}${name} ${version}`,
    ),
  )
  for (const [name, version] of Object.entries(dependencies))
    t.ok(listed.has(`${name} ${String(version)}`), name)
  t.notOk(components.some(({ name }: any) => name === 'tap'))
  for (const { name, hashes } of components) t.ok(hashes.length > 0, name)
})

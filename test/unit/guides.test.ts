import { execFile, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { environment } from '../../src/config.ts'
import { operations } from '../../src/sandbox/graph/markers.ts'
import { evaluationPath, world } from '../helpers/world.ts'

const read = (path: string): string => readFileSync(path, 'utf8')
const readme = read('README.md')
const sandboxPage = read('src/sandbox/README.md')

/** Every page that people read, but for the one that the benchmark writes. */
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'src/sandbox/README.md',
  ...readdirSync('docs').map(name => `docs/${name}`),
].filter(name => name.endsWith('.md') && name !== 'docs/performance.md')

/** A page's lines without its blocks of code. */
function prose(page: string): string[] {
  let inCode = false
  return read(page)
    .split('\n')
    .filter(line => {
      const fence = /^\s*```/.test(line)
      if (fence) inCode = !inCode
      return !fence && !inCode
    })
}

/** The commands of a page, by the language of their blocks. */
const blocks = (page: string, language: string): string[] =>
  Array.from(
    read(page).matchAll(new RegExp(`^\\s*\`\`\`${language}\\n(.+?)^\\s*\`\`\``, 'gms')),
    ([, block = '']) => block,
  )

/** The anchor that a heading has. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

const anchorsOf = (page: string): Set<string> =>
  new Set(
    prose(page).flatMap(line => {
      const [, heading] = /^#+ (.+)$/.exec(line) ?? []
      return heading === undefined ? [] : [anchorOf(heading)]
    }),
  )

t.test('README.md', async t => {
  await t.test(
    'is read in one look: 130 lines, and the first screen has what is needed',
    async t => {
      const lines = readme.trimEnd().split('\n')
      t.ok(lines.length <= 130, `${lines.length} lines`)
      const screen = lines.slice(0, 40).join('\n')
      for (const needed of ['npm ci', 'npm run sandbox', '<picture>', 'curl ', '**beta**'])
        t.ok(screen.includes(needed), needed)
      t.match(screen, /not\s+Microsoft's/)
    },
  )

  await t.test('names the commands and packages that the gate uses', async t => {
    const [, packages] = /apt-get install (.+)/.exec(readme) ?? []
    t.ok(read('.ci/run').includes(`apt-get install -y ${packages}\n`))
    t.ok(read('CONTRIBUTING.md').includes(`apt-get install ${packages}\n`))
    for (const command of ['npm ci', 'npm test']) {
      t.ok(readme.includes(command))
      t.ok(read('.ci/run').includes(command))
    }
  })

  await t.test('shows a prompt and the answer that it gets, for each shell', async t => {
    const sent = Array.from(readme.matchAll(/(?:-d|-Body) '(\{.+\})'/g), ([, body]) => body)
    t.equal(sent.length, 2)
    t.equal(new Set(sent).size, 1)
    const [, shown = ''] = /```json\n(.+?)```/s.exec(readme) ?? []
    const w = await world(t)

    const { status, body } = await w.post('/process-prompt', sent[0])

    t.equal(status, 200)
    const { sessionId, promptId, evaluationId } = JSON.parse(shown)
    t.same({ ...body, sessionId, promptId, evaluationId }, JSON.parse(shown))
  })
})

t.test(
  'docs/settings.md lists every setting with its default and meaning, and no other',
  async t => {
    const rows = Array.from(
      read('docs/settings.md').matchAll(/^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$/gm),
      ([, ...cells]) => cells,
    )
    t.same(
      rows.map(row => row.map(cell => cell.replaceAll('\\|', '|'))),
      Object.entries(environment.shape).map(([name, schema]) => {
        const fallback = schema.safeParse(undefined).data
        return [name, fallback === undefined ? '–' : `\`${String(fallback)}\``, schema.description]
      }),
    )
  },
)

t.test('src/sandbox/README.md', async t => {
  await t.test('shows what each marker does', async t => {
    const w = await world(t)
    const rows = Array.from(
      sandboxPage.matchAll(/^\| `(\[sim:[^`]+\])` \| (\d+) \| `(\w+)` \| (?:`(\w+)` )?\|$/gm),
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
    const [, named = ''] = /OPERATION is (.+?)\n\n/s.exec(sandboxPage) ?? []
    const [, enabled = ''] = /The plugins (.+?)\n\n/s.exec(sandboxPage) ?? []
    const words = Array.from(`${named} ${enabled}`.matchAll(/`([\w.]+)`/g), ([, word]) => word)
    const scripted = operations.filter(name => /Prompt|Evaluation|createSession/.test(name))
    const plugins = (await world(t)).model.listPlugins().map(plugin => plugin.name)
    t.same(new Set(words), new Set([...scripted, ...plugins]))
  })

  await t.test('names every key that a marker can have, and no other', async t => {
    const told = new Set(Array.from(sandboxPage.matchAll(/\[sim:(\w+)=/g), ([, key = '']) => key))
    told.delete('OPERATION')
    const source = read('src/sandbox/graph/markers.ts')
    const known = Array.from(source.matchAll(/values\.get\('(\w+)'\)/g), ([, key = '']) => key)
    for (const key of known) t.ok(told.has(key), key)
    for (const key of told) t.ok(known.includes(key) || operations.some(name => name === key), key)
  })

  await t.test('shows markers of times, lengths and texts that do what it says', async t => {
    const w = await world(t)
    const after = async (content: string, ms: number) => {
      const submitted = await w.start(content)
      w.clock.advance(ms)
      return (await w.get(evaluationPath(submitted))).body
    }
    t.equal((await after('[sim:seconds=2]', 1900)).evaluationState, 'Running')
    t.equal((await after('[sim:seconds=2]', 2100)).evaluationState, 'Completed')
    t.equal((await after('[sim:length=5000]', 20_000)).EvaluationResultContent.length, 5000)
    const [, answer = ''] = /`(\[sim:answer=\w+\])`.+here `# Hi`/.exec(sandboxPage) ?? []
    t.equal((await after(answer, 20_000)).EvaluationResultContent, '# Hi')
    const first = await w.start('[sim:result=capacityExceededx1]')
    t.equal((await w.get(evaluationPath(first))).body.evaluationResultType, 'CapacityExceeded')
  })

  await t.test('shows a way to make an answer', async t => {
    const block = blocks('src/sandbox/README.md', 'sh').find(text => text.includes('base64')) ?? ''
    const encoded = execFileSync('sh', ['-c', block], { encoding: 'utf8' })
    t.equal(Buffer.from(encoded, 'base64url').toString(), '# Two users\n\n- adele\n- lee')
  })
})

t.test('pages', async t => {
  await t.test('name every script, and none that is not there', async t => {
    const { scripts } = JSON.parse(read('package.json'))
    const text = pages.map(read).join('\n')
    for (const name of Object.keys(scripts).filter(script => !script.startsWith('pre'))) {
      const command = ['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`
      t.ok(text.includes(command), name)
    }
    for (const [, name = ''] of text.matchAll(/npm run (?:-s )?([a-z][\w:]*)/g))
      t.ok(name in scripts, name)
  })

  await t.test('have at most 100 columns, but for tables, links and code', async t => {
    t.same(
      pages.flatMap(page =>
        prose(page)
          .filter(line => line.length > 100 && !/^\s*\||^\S*`[^`]+`$|^\s*\S+$/.test(line))
          .map(line => `${page}: ${line}`),
      ),
      [],
    )
  })

  await t.test('lead to files and headings that exist', async t => {
    const broken = [...pages, 'docs/performance.md'].flatMap(page =>
      Array.from(
        read(page).matchAll(/(?:\]\(|src="|srcset=")(?!https?:)([^)#"]*)(?:#([^)"]+))?[)"]/g),
      ).flatMap(([link, path = '', anchor]) => {
        const file = path === '' ? page : join(dirname(page), path)
        const there = existsSync(file) && (anchor === undefined || anchorsOf(file).has(anchor))
        return there ? [] : [`${page}: ${link}`]
      }),
    )
    t.same(broken, [])
  })

  await t.test('name files that exist, where a command takes one', async t => {
    for (const page of pages) {
      for (const block of blocks(page, 'sh')) {
        for (const [, file = ''] of block.matchAll(
          /(?:^|\s)((?:scripts|examples|test)\/[\w./-]+)/g,
        ))
          t.ok(existsSync(file), `${page}: ${file}`)
      }
    }
  })

  await t.test('have commands that a shell can read', async t => {
    for (const page of pages) {
      for (const block of blocks(page, 'sh')) {
        t.doesNotThrow(() => execFileSync('bash', ['-n'], { input: block, stdio: 'pipe' }), block)
      }
    }
  })
})

t.test('docs/troubleshooting.md names only errors and settings that exist', async t => {
  const page = read('docs/troubleshooting.md')
  const errors = new Set(read('docs/errors.md').match(/(?<=^## `)\w+/gm))
  const others = new Set(['NeedAdditionalClaims', 'TimedOut', 'CopilotConnectorSlow'])
  for (const [, name = ''] of page.matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g))
    t.ok(errors.has(name) || others.has(name), name)
  const settings = read('.env.example') + read('docs/settings.md')
  for (const [, name = ''] of page.matchAll(/`([A-Z]+_[A-Z_]+)`/g))
    t.ok(settings.includes(name) || ['HTTPS_PROXY', 'SIMULATOR_FACTS'].includes(name), name)
})

t.test('the tests run on the Node that package.json asks for', async t => {
  const { engines, optionalDependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  t.equal(engines.node, '>=24')
  t.match(process.version, /^v24\./)
  t.ok(Object.values(optionalDependencies).every(version => version === '24.21.0'))
})

t.test('docs/in-the-designer.svg shows the names that the connector’s files have', t => {
  const picture = read('docs/in-the-designer.svg')
  const files = read('apiDefinition.swagger.json') + read('apiProperties.json')
  const names = Array.from(picture.matchAll(/class="t w">([^<]+)/g), ([, name = '']) => name)
  t.ok(names.length > 8)
  for (const name of names) t.ok(files.includes(`"${name}"`), name)
  const [, given = ''] = /It gives: ([^<…]+)/.exec(picture) ?? []
  for (const name of given.trim().split(', ')) t.ok(files.includes(`"${name}"`), name)
  t.end()
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

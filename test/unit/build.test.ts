import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { build, toJavaScript } from '../../scripts/build.ts'

t.test('toJavaScript()', async t => {
  await t.test('strips types and leads every import of ours to JavaScript', async t => {
    const cases: [string, string][] = [
      ["import { a } from './a.ts'", "import { a } from './a.js'"],
      ['import { a } from "../b/a.ts"', 'import { a } from "../b/a.js"'],
      ["export * from './a.ts'", "export * from './a.js'"],
      ["import './a.ts'", "import './a.js'"],
      ["const a = await import('./a.ts')", "const a = await import('./a.js')"],
      ["import x from '../package.json'", "import x from '../package.json'"],
      ["import { z } from 'zod'", "import { z } from 'zod'"],
      ["const text: string = 'a.ts'", "const text         = 'a.ts'"],
    ]
    for (const [source, code] of cases) t.equal(toJavaScript('x.ts', source), code)
  })

  await t.test('refuses an import that is put together at run time, naming the module', async t => {
    for (const source of [
      'const a = await import(name)',
      'const a = await import(`./${name}.ts`)',
      "const a = await import('./' + name)",
    ]) {
      t.throws(() => toJavaScript('some/module.ts', source), {
        message: /^Cannot build some\/module\.ts: its import cannot be rewritten/,
      })
    }
  })
})

t.test('build()', async t => {
  await t.test('leaves out the sandbox, and takes out what nobody makes any more', async t => {
    const root = t.testdir({
      src: {
        'a.ts': 'export const a: number = 1\n',
        sandbox: { 'b.ts': 'export {}' },
        'c.txt': '',
      },
      dist: { 'old.js': 'gone', sandbox: { 'b.js': 'gone' } },
    })
    build(`${root}/src`, `${root}/dist`)
    const files = readdirSync(`${root}/dist`, { recursive: true, encoding: 'utf8' })
    t.same(
      files.filter(name => name.endsWith('.js')),
      ['a.js'],
    )
    t.equal(readFileSync(`${root}/dist/a.js`, 'utf8'), 'export const a         = 1\n')
  })

  await t.test('writes nothing where nothing changed, and a module whole where it did', async t => {
    const root = t.testdir({ src: { 'a.ts': 'export {}', 'b.ts': 'export {}' } })
    const inodeOf = (name: string) => statSync(`${root}/dist/${name}`).ino
    build(`${root}/src`, `${root}/dist`)
    const before = ['a.js', 'b.js'].map(inodeOf)
    writeFileSync(`${root}/src/a.ts`, 'export const a = 1')
    build(`${root}/src`, `${root}/dist`)
    t.not(inodeOf('a.js'), before[0], 'a new file took its place')
    t.equal(inodeOf('b.js'), before[1], 'it was not touched')
  })

  await t.test('writes nothing at all when a module cannot be built', async t => {
    const root = t.testdir({ src: { 'a.ts': 'export {}', 'b.ts': 'await import(name)' }, dist: {} })
    t.throws(() => build(`${root}/src`, `${root}/dist`), { message: /Cannot build b\.ts/ })
    t.same(readdirSync(`${root}/dist`), [])
  })
})

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
const code = files.filter(name => /^(src|scripts|test)\/.*\.(ts|js)$/.test(name))

/** The anchor that a heading has on the pages of the repository. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

t.test('every file name occurs once, but for the stores in memory and in Redis', async t => {
  const names = code.map(path => basename(path)).filter(name => !/^(memory|redis)\.ts$/.test(name))
  t.same(
    names.filter((name, at) => names.indexOf(name) !== at),
    [],
  )
})

t.test('a comment cites only headings that exist, in documents of the repository', async t => {
  let cited = 0
  for (const path of code) {
    for (const [, document = '', anchor = ''] of readFileSync(path, 'utf8').matchAll(
      /\b(docs\/[\w-]+\.md)#([\w-]+)/g,
    )) {
      const headings = Array.from(
        readFileSync(document, 'utf8').matchAll(/^#+ (.+)$/gm),
        ([, heading = '']) => anchorOf(heading),
      )
      t.ok(headings.includes(anchor), `${path}: ${document}#${anchor}`)
      cited += 1
    }
  }
  t.ok(cited > 10)
})

t.test('docs/architecture.md and CONTRIBUTING.md name only files that exist', async t => {
  for (const document of ['docs/architecture.md', 'CONTRIBUTING.md']) {
    const named = readFileSync(document, 'utf8').matchAll(
      /`((?:src|test|scripts|bench)\/[\w./-]+)`/g,
    )
    for (const [, path = ''] of named) {
      t.ok(
        files.some(file => file === path || file.startsWith(path.replace(/\/?$/, '/'))),
        `${document}: ${path}`,
      )
    }
  }
})

t.test('a code line has at most 100 columns, but for what cannot be cut', async t => {
  const long = code.flatMap(path =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(
        line => line.length > 100 && /^\s*(\/\/|\*|\/\*\*)/.test(line) && !line.includes('://'),
      )
      .map(line => `${path}: ${line.trim()}`),
  )
  t.same(long, [])
})

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { environment } from '../../src/config.ts'

const read = (path: string): string => readFileSync(path, 'utf8')
const page = read('SECURITY.md')

t.test('SECURITY.md has each of the ten risks, held by tests that exist', async t => {
  const rows = Array.from(page.matchAll(/^\| API(\d+) .+\| `([^`]+)` \|$/gm))
  t.same(
    rows.map(([, number]) => Number(number)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  const named = page.match(/test\/[\w/-]+\.test\.ts/g) ?? []
  t.ok(named.length > rows.length)
  for (const path of named) t.ok(existsSync(path), path)
})

t.test('SECURITY.md and docs/operations.md', async t => {
  for (const document of ['SECURITY.md', 'docs/operations.md']) {
    const text = read(document)
    await t.test(`${document} has at most 100 columns`, async t => {
      t.same(
        text.split('\n').filter(line => line.length > 100),
        [],
      )
    })

    await t.test(`${document} leads to files and headings that exist`, async t => {
      for (const [, path = '', anchor] of text.matchAll(
        /\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g,
      )) {
        const file = path === '' ? document : join(dirname(document), path)
        t.ok(existsSync(file), path)
        if (anchor === undefined) continue
        const anchors = Array.from(read(file).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{N} -]/gu, '')
            .replaceAll(' ', '-'),
        )
        t.ok(anchors.includes(anchor), `${file}#${anchor}`)
      }
    })
  }
})

t.test('.env.example has every setting of the service, each commented, and no other', async t => {
  const lines = read('.env.example').split('\n')
  const names = lines.flatMap(line => /^#([A-Z][A-Z_]+)=/.exec(line)?.[1] ?? [])
  t.equal(new Set(names).size, names.length)
  for (const name of Object.keys(environment.shape)) t.ok(names.includes(name), name)
  for (const name of names) t.ok(Object.hasOwn(environment.shape, name), `${name} is a setting`)
  for (const line of lines) t.match(line, /^(#|$)/)
})

t.test('files that point to docs/operations.md name headings that exist', async t => {
  const headings = new Set(
    Array.from(read('docs/operations.md').matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    ),
  )
  for (const path of [
    'azure.yaml',
    'deploy/azure/main.bicep',
    'deploy/compose/compose.yaml',
    'deploy/compose/nginx.conf',
    'deploy/kubernetes/connector.yaml',
    'deploy/kubernetes/kustomization.yaml',
    'deploy/kubernetes-with-secrets/kustomization.yaml',
  ]) {
    const cited = Array.from(read(path).matchAll(/docs\/operations\.md#([\w-]+)/g))
    t.ok(cited.length > 0, path)
    for (const [, anchor = ''] of cited) t.ok(headings.has(anchor), `${path}: ${anchor}`)
  }
})

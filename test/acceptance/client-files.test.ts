import t from 'tap'
import { clientRequests } from '../../scripts/client-requests.ts'
import { httpFile } from '../../scripts/http-file.ts'
import { postmanCollection } from '../../scripts/postman-collection.ts'
import { readDocuments } from '../../scripts/write-documents.ts'
import { runCollection } from '../helpers/collection-runner.ts'
import { describedRoutes } from '../helpers/described-routes.ts'
import { openApi } from '../helpers/document-checks.ts'
import { runHttpFile } from '../helpers/http-file-runner.ts'
import { sandbox } from '../helpers/sandbox-world.ts'

const summaries = clientRequests(openApi).map(({ summary }) => summary)

const files = [
  [
    'the Postman collection',
    (service: string, more = {}) =>
      runCollection(JSON.parse(readDocuments().postman), { service, ...more }),
  ],
  ['the .http file', (service: string) => runHttpFile(readDocuments().http, { service })],
] as const

for (const [what, run] of files) {
  t.test(`${what} asks for every operation of a sandbox, again and again`, async t => {
    const { url } = await sandbox(t)
    for (const time of ['once', 'again']) {
      const ran = await run(url)
      t.same(new Set(ran.map(([name]) => name)), new Set(summaries))
      t.same(
        ran.filter(([, status]) => status >= 300),
        [],
        time,
      )
    }
  })
}

t.test('the Postman collection sends a token when it has one', async t => {
  const { url } = await sandbox(t)
  const [[, run]] = files
  const ran = await run(url, { token: 'no.such.token' })
  t.same(new Map(ran).get('Submit a Security Copilot prompt'), 401)
})

t.test('both give each request what it needs from those before it', async t => {
  const made = await describedRoutes()
  const http = httpFile(made.openApi)
  const postman: any = postmanCollection(made.openApi)
  t.match(
    http,
    /GET \{\{service\}\}\/promptbooks\/\{\{ListPromptbooks\.response\.body\.\$\.value\[0\]\.id\}\}\/inputs/,
  )
  t.match(http, /GET \{\{RunPromptbook\.response\.headers\.Operation-Location\}\}/)
  t.match(http, /\/answer\?as=html$/m)
  const names = postman.variable.map(({ key }: any) => key)
  const used = [...JSON.stringify(postman.item).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)
  t.same(new Set(used), new Set(names.filter((name: string) => name !== 'token')))
})

import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { createNotebook } from '../../scripts/probe/notebook.ts'
import { createReport } from '../../scripts/probe/report.ts'
import { render } from '../../scripts/probe/render.ts'
import { createSessionJournal } from '../../scripts/probe/session-journal.ts'
import { probe } from '../../scripts/probe/probe.ts'
import { readFacts } from '../../src/sandbox/graph/facts.ts'
import { operations } from '../../src/sandbox/graph/markers.ts'
import { lawRuns } from '../helpers/laws.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { folder, tokenOf } from '../helpers/probe-world.ts'

const canary = fc
  .tuple(fc.constantFrom('canary 1', 'canary@x.y', '"canary"', 'canary-2', 'canary|3', 'canary\n4'))
  .map(([text]) => text)

/** Members that Graph has, so that every reader is met, with values of any kind. */
const known = fc.constantFrom(
  'id',
  'value',
  'state',
  'result',
  'type',
  'displayName',
  'createdDateTime',
  'completedDateTime',
  'inputs',
  'isEnabled',
  '@odata.nextLink',
  'error',
  'code',
  '__proto__',
  'constructor',
)
const { json } = fc.letrec<{ json: unknown; object: object }>(tie => ({
  json: fc.oneof(
    { maxDepth: 4 },
    canary,
    fc.constantFrom(null, true, 0, -1.5, 1e300, '0001-01-01T00:00:00Z', '2026-01-05T09:00:00Z'),
    fc.uuid(),
    fc.array(tie('json'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(known, canary), tie('json'), { maxKeys: 6 }),
}))

/** What lets the probe go on: an entity with an id, a list of them, a next page. */
const plausible = fc
  .tuple(fc.uuid(), fc.dictionary(known, json, { maxKeys: 4 }), fc.boolean())
  .map(([id, members, list]) => {
    const entity = { ...members, id }
    return list ? { value: [entity], '@odata.nextLink': 'http://127.0.0.1/canary 1' } : entity
  })

const status = fc.constantFrom(200, 201, 400, 403, 404, 500, 503)

t.test('whatever a server sends, there is a report, and nothing of it is in it', async t => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...operations), status, json), { maxLength: 8 }),
      answers => {
        const notebook = createNotebook(false)
        for (const [operation, status, body] of answers) {
          const parsed: unknown = JSON.parse(JSON.stringify(body))
          const seen = { status, body: parsed, headers: {}, ms: 1, gzip: true, sentId: '' }
          notebook.noteCall(operation, seen)
        }
        const report = createReport(notebook.facts(), '2026-01-05', 0)
        readFacts(report)
        return !/canary/.test(JSON.stringify(report) + render(report))
      },
    ),
    { numRuns: lawRuns() },
  )
  t.pass('held')
})

t.test('the same with a server that answers anything to everything', async t => {
  let answers: readonly (readonly [number, unknown])[] = []
  let asked = 0
  let most = 0
  let before = 0
  const server = createServer((_request, response) => {
    const [status, body] = answers[(asked += 1) % answers.length] ?? [200, {}]
    response.writeHead(status, { 'content-type': 'application/json', date: 'canary' })
    response.end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.oneof(fc.constant(200), status), fc.oneof(json, plausible)), {
        minLength: 1,
        maxLength: 6,
      }),
      async next => {
        answers = next
        before = asked
        const clock = leapingClock()
        const report = await probe({
          graph: { url, token: tokenOf([]) },
          service: { url, caller: { kind: 'nobody' } },
          workspace: 'default',
          evaluations: 2,
          clock,
          signal: new AbortController().signal,
          journal: createSessionJournal(join(folder(), 'probe-sessions.json'), '2026-01-05'),
          proxied: false,
        })
        most = Math.max(most, asked - before)
        return !/canary/.test(JSON.stringify(report) + render(report))
      },
    ),
    {
      numRuns: lawRuns(0.3),
      examples: [[[[200, { id: '5a4db0c5-0000-4000-8000-00000000000e' }]]]],
    },
  )
  t.ok(most > 30, 'some servers let the probe go on')
})

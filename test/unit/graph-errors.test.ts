import t from 'tap'
import { ConnectorError } from '../../src/errors.ts'
import { nextPagePath } from '../../src/graph/client.ts'
import { graphError, readRetryAfter } from '../../src/graph/graph-errors.ts'
import { monday } from '../helpers/leaping-clock.ts'

const attempt = {
  action: 'read the evaluation',
  notFound: 'EvaluationNotFound',
  token: 'the-token-sent',
  sent: '',
  now: monday,
} as const

const refuse = (status: number, headers: Record<string, string | string[]> = {}, body?: unknown) =>
  graphError({ status, headers, body }, attempt)

t.test('graphError() maps Graph’s final refusals to the catalogue', async t => {
  const rows: [number, Record<string, string>, string, number, number | undefined][] = [
    [400, {}, 'GraphError', 502, undefined],
    [401, {}, 'GraphError', 502, undefined],
    [402, {}, 'GraphError', 502, undefined],
    [403, {}, 'GraphForbidden', 403, undefined],
    [404, {}, 'EvaluationNotFound', 404, undefined],
    [409, {}, 'GraphError', 502, undefined],
    [429, { 'retry-after': '7' }, 'GraphThrottled', 429, 7],
    [429, {}, 'GraphThrottled', 429, 10],
    [500, {}, 'GraphError', 502, undefined],
    [500, { 'retry-after': '7' }, 'GraphError', 502, undefined],
    [502, {}, 'GraphError', 502, undefined],
    [503, {}, 'GraphError', 502, undefined],
    [503, { 'retry-after': '7' }, 'GraphUnavailable', 503, 7],
    [504, {}, 'GraphTimeout', 504, undefined],
    [509, {}, 'GraphError', 502, undefined],
  ]
  for (const [graphStatus, headers, code, status, retryAfter] of rows) {
    const error = refuse(graphStatus, headers)
    t.ok(error instanceof ConnectorError)
    t.match(error, { code, status }, `${graphStatus} ${JSON.stringify(headers)}`)
    t.match(error.message, /^Cannot read the evaluation: /)
    t.equal(error.shown.retryAfterSeconds, retryAfter)
    t.equal(error.shown.graph?.status, graphStatus)
  }
})

t.test('graphError() passes a claims challenge on as InsufficientClaims', async t => {
  const graph =
    'Bearer realm="", authorization_uri="https://login.example", error="insufficient_claims", claims="eyJhIjoxfQ=="'
  for (const header of [graph, ['Basic realm="x"', graph]]) {
    const error = refuse(401, { 'www-authenticate': header })
    t.match(error, { code: 'InsufficientClaims', status: 401 })
    t.same(error.shown.headers, {
      'www-authenticate': 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="',
    })
  }
  const others = [
    'Bearer error="invalid_token", claims="eyJhIjoxfQ=="',
    'Bearer error="insufficient_claims"',
  ]
  for (const header of others)
    t.equal(refuse(401, { 'www-authenticate': header }).code, 'GraphError')
})

t.test('graphError() shows what Graph said', async t => {
  const said = (error: object, headers = {}) => refuse(500, headers, { error }).shown.graph

  t.same(said({ code: 'UnknownError', message: '', innerError: { 'request-id': 'r1' } }), {
    status: 500,
    code: 'UnknownError',
    message: '',
    'request-id': 'r1',
  })
  t.same(said({ code: 'X', message: 'm', innererror: { 'request-id': 'r2' } }), {
    status: 500,
    code: 'X',
    message: 'm',
    'request-id': 'r2',
  })
  t.same(said({ code: 5, message: {}, innerError: 'x' }, { 'request-id': 'r3' }), {
    status: 500,
    'request-id': 'r3',
  })
  for (const body of [undefined, null, 'text', [], {}, { error: 'text' }]) {
    t.same(refuse(500, {}, body).shown.graph, { status: 500 })
  }
  t.equal(said({ message: 'x'.repeat(1000) })?.message?.length, 300)
})

t.test('graphError() cuts tokens out of what Graph repeats', async t => {
  const message = 'Token the-token-sent, eyJhbGciOi.eyJzdWIi.c2ln and Bearer abc.def were refused'
  const error = refuse(401, {}, { error: { code: 'x', message } })
  t.equal(error.shown.graph?.message, 'Token [token], [token] and [token] were refused')
})

t.test('readRetryAfter() reads every form of the header', async t => {
  const cases: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['7', 7],
    [' 7 ', 7],
    ['0', 1],
    ['1.2', 2],
    ['Mon, 05 Jan 2026 09:00:30 GMT', 30],
    ['Mon, 05 Jan 2026 08:00:00 GMT', 1],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    ['9'.repeat(400), undefined],
    ['9'.repeat(25), 86_400],
  ]
  for (const [header, seconds] of cases)
    t.equal(readRetryAfter(header, monday), seconds, String(header))
})

t.test(
  'graphError() cuts tokens out of code and id, and drops what repeats the prompt',
  async t => {
    const sent = 'Is 203.0.113.7 known for attacks, and who talked to it this week?'
    const of = (error: object) =>
      graphError({ status: 500, headers: {}, body: { error } }, { ...attempt, sent }).shown.graph
    t.same(of({ code: 'x the-token-sent', message: 'm', innerError: { 'request-id': 'r1' } }), {
      status: 500,
      code: 'x [token]',
      message: 'm',
      'request-id': 'r1',
    })
    t.notOk('request-id' in (of({ innerError: { 'request-id': 'the-token-sent <script>' } }) ?? {}))
    t.notOk('message' in (of({ message: `Cannot read: ${sent}` }) ?? {}))
    t.notOk('message' in (of({ message: 'Bad: known for attacks, and who talked' }) ?? {}))
    t.notOk('message' in (of({ message: `I saw: ${sent.toUpperCase()}` }) ?? {}))
    t.match(of({ message: 'Cannot read what was sent' }), { message: 'Cannot read what was sent' })
  },
)

t.test('nextPagePath()', async t => {
  const base = 'https://graph.example/beta'
  const path = (link: string, root = base) => nextPagePath(link, root, '/a/b', 'list')

  t.equal(path(`${base}/a/b?$skiptoken=x%20y`), '/a/b?$skiptoken=x%20y')
  t.equal(path(`${base}/A('b')?$skip=1`), '/a/b?$skip=1')
  t.equal(path('https://graph.example/a/b/', 'https://graph.example'), '/a/b')

  for (const link of [
    'https://evil.example/beta/a/b',
    'http://graph.example/beta/a/b',
    'https://graph.example:8443/beta/a/b',
    'https://graph.example/v1.0/a/b',
    'https://graph.example/beta',
    'https://graph.example/beta/a',
    'https://graph.example/beta/me/messages',
    'https://graph.example/beta/a/b/c',
    'https://graph.example/betamax/a/b',
    'https://graph.example/beta/a/b/../../v1.0/a',
    'https://graph.example/beta/a/b/%2e%2e',
    'https://graph.example/beta/a/%zz',
    'https://user@graph.example/beta/a/b',
    'https://:pass@graph.example/beta/a/b',
    '/beta/a/b',
    'nonsense',
  ]) {
    t.throws(() => path(link), { code: 'GraphInvalidResponse' }, link)
  }
})

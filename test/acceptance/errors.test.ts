import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { Authenticate } from '../../src/auth/caller.ts'
import { authenticationRequired } from '../../src/auth/credentials.ts'
import { catalogue, ConnectorError, type ErrorCode } from '../../src/errors.ts'
import { errorResponse, toConnectorError } from '../../src/plugins/error-body.ts'
import { tokenError, type TokenError } from '../../src/sandbox/entra/token-error.ts'
import type { UserToken } from '../../src/sandbox/entra/entra-model.ts'
import { asPrincipal, entraWorld } from '../helpers/entra-world.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { request, world } from '../helpers/world.ts'

const statuses = Object.fromEntries(
  Object.entries(catalogue).map(([code, { status }]) => [code, status]),
)

/** The rows of docs/errors.md: code and status. */
const documented = async (): Promise<[string, number][]> =>
  Array.from(
    (await readFile('docs/errors.md', 'utf8')).matchAll(/^## `(\w+)`\n\n\*\*(\d{3})\*\*/gm),
    ([, code = '', status]) => [code, Number(status)],
  )

t.test('docs/errors.md lists every code with its status, and no other', async t => {
  t.same(Object.fromEntries(await documented()), statuses)
})

t.test('each code is answered', async t => {
  const w = await world(t)
  const guid = '11111111-1111-4111-8111-111111111111'
  const { get, post, start, url } = w
  const fetchFailing = async (failure: string) => {
    const { body } = await start(`Hello [sim:getEvaluation=${failure}]`)
    return get(
      `/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`,
    )
  }
  const authenticatedBy = (authenticate: Authenticate) => async () => {
    const refusing = await world(t, { authenticate })
    return refusing.get(`/sessions/${guid}/prompts/${guid}/promptbook`)
  }
  const entra = await entraWorld(t)
  const asUser = async (token: UserToken) =>
    entra.get(`/sessions/${guid}/prompts/${guid}/promptbook`, await entra.asUser(guid, token))
  const exchangeRefused = async (error: TokenError) => {
    entra.entra.refuse(guid, error)
    return asUser({})
  }
  const stopping = await world(t)
  stopping.stop()
  const server = await redisServer(t)
  const storeless = await world(t, { env: { REDIS_URL: server.url } })
  await server.kill()
  const unreachable = await world(t, { graphUrl: 'http://127.0.0.1:1/beta' })
  const long = 'x'.repeat(20_000)

  const roads: Partial<
    Record<ErrorCode, () => Promise<{ status: number; headers: Headers; body: any }>>
  > = {
    InvalidRequest: () => post('/process-prompt', {}),
    PluginNotEnabled: () => start('Hello', { Skillsets: ['Intune'] }),
    AuthenticationRequired: authenticatedBy(() => Promise.reject(authenticationRequired())),
    InvalidToken: () => asUser({ claims: { aud: guid } }),
    InvalidClientCredentials: () => entra.post('/process-prompt', {}, asPrincipal('guess')),
    InsufficientClaims: () => fetchFailing('claims'),
    TenantNotAllowed: () =>
      asUser({
        version: 'v1',
        claims: {
          tid: guid.replace('1', '2'),
          iss: `https://sts.windows.net/${guid.replace('1', '2')}/`,
        },
      }),
    ScopeMissing: () => asUser({ claims: { scp: 'other' } }),
    AppOnlyTokenNotSupported: () => asUser({ claims: { idtyp: 'app' } }),
    AccessBlocked: () => exchangeRefused(tokenError('invalid_grant', 50105, 'Not assigned.')),
    GraphForbidden: () => fetchFailing('403'),
    ShuttingDown: () => stopping.start('Hello'),
    NotFound: () => get('/nowhere'),
    SessionNotFound: () => start('Hello', { SessionId: guid }),
    PromptNotFound: async () => {
      const { body } = await start('Hello')
      return get(`/sessions/${body.sessionId}/prompts/${guid}/promptbook`)
    },
    EvaluationNotFound: () => fetchFailing('404'),
    PromptbookNotFound: () => get('/promptbooks/none/inputs'),
    RunNotFound: () => get('/promptbook-runs/none/result'),
    MethodNotAllowed: () => get('/process-prompt'),
    PayloadTooLarge: () => post('/process-prompt', 'x'.repeat(1024 * 1024 + 1)),
    UnsupportedMediaType: () => post('/process-prompt', 'x', { 'content-type': 'text/plain' }),
    SubmissionUnconfirmed: () => start('Hello [sim:createEvaluation=500]'),
    IdempotencyKeyReused: async () => {
      const headers = { 'idempotency-key': 'k1', prefer: 'respond-async' }
      await post('/process-prompt', { PromptContent: 'One' }, headers)
      return post('/process-prompt', { PromptContent: 'Two' }, headers)
    },
    AnswerNotJson: async () => {
      const { body } = await start('Hello [sim:seconds=0]')
      const { sessionId, promptId, evaluationId } = body
      const path = `/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`
      return get(`${path}/answer?as=json`)
    },
    RateLimitExceeded: async () => {
      const spent = await world(t, { env: { RATE_LIMIT_CALLS: '1' } })
      await spent.post('/process-prompt', {})
      return spent.post('/process-prompt', {})
    },
    TooManyFailedSignIns: async () => {
      const guessed = await entraWorld(t)
      for (let guess = 0; guess < 10; guess += 1)
        await guessed.post('/process-prompt', {}, asPrincipal(`guess ${guess}`))
      return guessed.post('/process-prompt', {}, asPrincipal('guess again'))
    },
    GraphThrottled: () => fetchFailing('429,7'),
    CapacityExceeded: () =>
      post('/process-prompt', { PromptContent: '[sim:result=capacityExceeded]' }),
    TooManyKeys: async () => {
      const [keys, store] = [await redisServer(t), 'copilot:keys:{alice}']
      const redis = await keys.connect()
      const live = Array.from({ length: 10_000 }, (_, at) => [Date.now() + 60_000, `k${at}`])
      await redis.zadd(store, ...live.flat())
      const full = await world(t, { env: { REDIS_URL: keys.url } })
      return full.post('/process-prompt', { PromptContent: 'One' }, { 'idempotency-key': 'k' })
    },
    BudgetExceeded: async () => {
      const spent = await world(t, { env: { EVALUATIONS_PER_HOUR: '1' } })
      await spent.start('One')
      return spent.start('Two')
    },
    HeadersTooLarge: () => request(`${url}/livez`, { headers: { a: long, b: long } }),
    InternalError: authenticatedBy(() => Promise.reject(new Error('unforeseen'))),
    EntraMisconfigured: () => exchangeRefused(tokenError('invalid_client', 7000215, 'Bad secret.')),
    GraphInvalidResponse: () => fetchFailing('html'),
    GraphError: () => fetchFailing('500'),
    GraphUnavailable: () => unreachable.start('Hello'),
    EntraUnavailable: () =>
      exchangeRefused(tokenError('temporarily_unavailable', 90033, 'Transient.')),
    Overloaded: async () => {
      const full = await world(t, { serverLimits: { maxConnectionBytes: 10 } })
      return full.post('/process-prompt', { PromptContent: 'One' })
    },
    StoreUnavailable: () =>
      storeless.post('/process-prompt', { PromptContent: 'One' }, { 'idempotency-key': 'k1' }),
    GraphTimeout: () => fetchFailing('504'),
  }
  t.same(
    (await documented()).map(([code]) => code),
    Object.keys(roads).toSorted(
      (a, b) => Object.keys(catalogue).indexOf(a) - Object.keys(catalogue).indexOf(b),
    ),
  )
  for (const [code, road] of Object.entries(roads)) {
    await t.test(code, async t => {
      const { status, headers, body } = await road()
      t.equal(status, catalogue[code as ErrorCode].status)
      t.equal(headers.get('x-ms-error-code'), code)
      t.match(headers.get('content-type'), /^application\/json/)
      t.match(body.error, {
        code,
        message: code === 'RateLimitExceeded' ? /^Rate limit is exceeded/ : /^Cannot .+: .+[^.]$/,
        innerError: {
          date: /Z$/,
          'request-id': headers.get('request-id'),
          'client-request-id': /./,
        },
      })
      t.equal(headers.has('retry-after'), status === 429 || status === 503)
    })
  }
})

t.test(
  'GraphUnavailable passes Graph’s Retry-After on, GraphError says what Graph answered',
  async t => {
    const { start, get } = await world(t)
    const { body } = await start('Hello [sim:getEvaluation=503,7]')
    const path = `/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`
    const reply = await get(path)
    t.match(reply, { status: 503, body: { error: { code: 'GraphUnavailable' } } })
    t.equal(reply.headers.get('retry-after'), '7')
    t.match(reply.body.error.innerError.graph, {
      status: 503,
      code: 'ServiceUnavailable',
      'request-id': /^[0-9a-f-]{36}$/,
    })
  },
)

t.test('toConnectorError() knows what Fastify and Node raise', async t => {
  const raised = (code: string, statusCode?: number) =>
    toConnectorError(Object.assign(new Error('x'), { code, statusCode }))
  const rows: [string, number | undefined, string][] = [
    ['FST_ERR_CTP_BODY_TOO_LARGE', 413, 'PayloadTooLarge'],
    ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 415, 'UnsupportedMediaType'],
    ['FST_ERR_CTP_EMPTY_JSON_BODY', 400, 'InvalidRequest'],
    ['FST_ERR_BAD_URL', 400, 'InvalidRequest'],
    ['HPE_HEADER_OVERFLOW', undefined, 'HeadersTooLarge'],
    ['HPE_INVALID_METHOD', undefined, 'InvalidRequest'],
    ['ERR_HTTP_REQUEST_TIMEOUT', undefined, 'InvalidRequest'],
    ['FST_ERR_OTHER', 500, 'InternalError'],
    ['EOTHER', undefined, 'InternalError'],
  ]
  for (const [code, statusCode, expected] of rows)
    t.equal(raised(code, statusCode).code, expected, code)
  t.equal(toConnectorError('a string').code, 'InternalError')
  const known = new ConnectorError('NotFound', 'Cannot find it: it is gone')
  t.equal(toConnectorError(known), known)
})

t.test('errorResponse() leaves out what there is not', async t => {
  const { headers, body } = errorResponse(
    new ConnectorError('NotFound', 'Cannot find it: it is gone'),
    {
      requestId: 'r',
      clientRequestId: 'c',
      now: 0,
    },
  )
  t.same(headers, {
    'content-type': 'application/json; charset=utf-8',
    'x-ms-error-code': 'NotFound',
  })
  t.equal(
    JSON.stringify(body),
    '{"error":{"code":"NotFound","message":"Cannot find it: it is gone","innerError":{"date":"1970-01-01T00:00:00.000Z","request-id":"r","client-request-id":"c"}}}',
  )
})

t.test('ConnectorError.with() keeps everything and adds the ids', async t => {
  const cause = new Error('why')
  const error = new ConnectorError(
    'GraphError',
    'Cannot do it: no',
    { target: 'x' },
    { cause },
  ).with({
    sessionId: 's',
  })
  t.match(error, {
    code: 'GraphError',
    message: 'Cannot do it: no',
    cause,
    shown: { target: 'x', sessionId: 's' },
  })
})

t.test('an error of the catalogue takes no stack, and leaves theirs to others', async t => {
  t.notMatch(new ConnectorError('NotFound', 'Cannot find it: it is not there').stack, /\n\s+at /)
  t.match(new Error('unforeseen').stack, /\n\s+at /)
})

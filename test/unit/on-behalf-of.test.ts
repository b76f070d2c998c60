import { writeFileSync } from 'node:fs'
import { generate } from 'selfsigned'
import t from 'tap'
import { interactionRequired, tokenError } from '../../src/sandbox/entra/token-error.ts'
import { entraWorld, type EntraWorld } from '../helpers/entra-world.ts'
import { evaluationPath, type Reply } from '../helpers/world.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const bob = 'b0b00000-0000-4000-8000-000000000002'
const claims = Buffer.from('{"access_token":{"acrs":{"essential":true,"value":"c1"}}}').toString(
  'base64',
)
const challenge = `Bearer error="insufficient_claims", claims="${claims}"`

const exchanges = ({ entraCalls }: EntraWorld): number =>
  entraCalls.filter(call => call === 'onBehalfOf').length

/** Submits a prompt as this user, answered at once. */
const submit = (
  w: EntraWorld,
  headers: Record<string, string>,
  content = 'Hello',
): Promise<Reply> =>
  w.post('/process-prompt', { PromptContent: content }, { ...headers, prefer: 'respond-async' })

t.test('a user’s call reaches Graph as that user', async t => {
  await t.test('and nobody else’s', async t => {
    const w = await entraWorld(t)
    const [asAlice, asBob] = [await w.asUser(alice), await w.asUser(bob)]

    const reply = await submit(w, asAlice)

    t.equal(reply.status, 202)
    t.match(w.model.listSessions(`user ${alice}`), [{ id: reply.body.sessionId }])
    t.match(await w.get(evaluationPath(reply), asAlice), { status: 200 })
    t.match(await w.get(evaluationPath(reply), asBob), {
      status: 404,
      body: { error: { code: 'EvaluationNotFound' } },
    })
    t.equal(exchanges(w), 2)
  })

  await t.test('with one exchange for 100 calls', async t => {
    const w = await entraWorld(t)
    const headers = await w.asUser(alice)
    const reply = await submit(w, headers)
    for (let call = 1; call < 100; call += 1)
      t.equal((await w.get(evaluationPath(reply), headers)).status, 200)
    t.same(w.entraCalls, ['discovery', 'keys', 'discovery', 'onBehalfOf'])
  })

  await t.test(
    'with one exchange, and one reading of the keys, for 50 first calls at once',
    async t => {
      const w = await entraWorld(t)
      const headers = await w.asUser(alice)
      const replies = await Promise.all(Array.from({ length: 50 }, () => submit(w, headers)))
      t.ok(replies.every(reply => reply.status === 202))
      t.same(w.entraCalls, ['discovery', 'keys', 'discovery', 'onBehalfOf'])
    },
  )

  await t.test('never with the token of another, though they call at once', async t => {
    const w = await entraWorld(t)
    const users = Array.from(
      { length: 20 },
      (_, index) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`,
    )
    const replies = await Promise.all(
      users.map(async user => submit(w, await w.asUser(user), `I am ${user}`)),
    )
    for (const [index, user] of users.entries()) {
      const [session] = w.model.listSessions(`user ${user}`)
      t.equal(session?.id, replies[index]?.body.sessionId)
      t.equal(session?.displayName, `I am ${user}`)
    }
    t.equal(exchanges(w), users.length)
  })

  await t.test('anew for each token of theirs, and after the token for Graph has aged', async t => {
    const w = await entraWorld(t)
    const first = await w.asUser(alice, { claims: { exp: Date.UTC(2026, 0, 6) / 1000 } })
    await submit(w, first)
    await submit(w, await w.asUser(alice, { claims: { jti: 'another' } }))
    t.equal(exchanges(w), 2)
    w.clock.advance(3470_000)
    await submit(w, first)
    t.equal(exchanges(w), 2, 'two minutes before it expires it is not used any more')
    w.clock.advance(12_000)
    await submit(w, first)
    t.equal(exchanges(w), 3)
  })

  await t.test('with a new token after Graph refused the old one', async t => {
    const w = await entraWorld(t)
    const headers = await w.asUser(alice)
    const reply = await submit(w, headers, 'Hello [sim:getEvaluation=401]')
    t.match(await w.get(evaluationPath(reply), headers), {
      status: 502,
      body: { error: { code: 'GraphError' } },
    })
    await submit(w, headers)
    t.equal(exchanges(w), 2)
  })

  await t.test('and costs Entra nothing when it is wrong in itself', async t => {
    const w = await entraWorld(t)
    const headers = await w.asUser(alice)
    t.equal((await w.post('/process-prompt', {}, headers)).status, 400)
    t.equal((await w.get('/sessions/x/prompts/y/promptbook', headers)).status, 400)
    t.equal(exchanges(w), 0)
  })

  await t.test('with a certificate in the place of a secret', async t => {
    const attributes = [{ name: 'commonName', value: 'This API' }]
    const { private: key, cert: certificate } = await generate(attributes, { algorithm: 'sha256' })
    const path = `${t.testdir()}/certificate.pem`
    writeFileSync(path, `${key}\n${certificate}`)
    const env = { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_CERTIFICATE_PATH: path }

    const known = await entraWorld(t, { env, apiCertificate: certificate })
    t.equal((await submit(known, await known.asUser(alice))).status, 202)
    t.equal(exchanges(known), 1)

    const spoilt = await entraWorld(t, { env, apiCertificate: certificate })
    writeFileSync(path, certificate)
    t.match(await submit(spoilt, await spoilt.asUser(alice)), {
      status: 500,
      body: { error: { code: 'EntraMisconfigured' } },
    })
    t.match(
      spoilt.log.join(''),
      /ENTRA_CLIENT_CERTIFICATE_PATH names a file without the private key/,
    )
    writeFileSync(path, `${key}\n${certificate}`)

    const unknown = await entraWorld(t, { env })
    const reply = await submit(unknown, await unknown.asUser(alice))
    t.match(reply, { status: 500, body: { error: { code: 'EntraMisconfigured' } } })
    t.match(unknown.log.join(''), /AADSTS700027 invalid_client: ENTRA_CLIENT_CERTIFICATE_PATH/)
  })
})

t.test('Conditional Access', async t => {
  await t.test(
    'at the exchange becomes InsufficientClaims with the claims, and is not remembered',
    async t => {
      const w = await entraWorld(t)
      const headers = await w.asUser(alice)
      w.entra.refuse(alice, interactionRequired())
      for (let call = 0; call < 2; call += 1) {
        const reply = await submit(w, headers)
        t.match(reply, { status: 401, body: { error: { code: 'InsufficientClaims' } } })
        t.equal(reply.headers.get('www-authenticate'), challenge)
      }
      t.equal(exchanges(w), 2)
      w.entra.refuse(alice)
      t.equal((await submit(w, headers)).status, 202)
    },
  )

  await t.test('at Graph becomes InsufficientClaims with the claims', async t => {
    const w = await entraWorld(t)
    const headers = await w.asUser(alice)
    const reply = await submit(w, headers, 'Hello [sim:createEvaluation=claims]')
    t.match(reply, {
      status: 401,
      body: { error: { code: 'InsufficientClaims' }, sessionId: /./, promptId: /./ },
    })
    t.equal(reply.headers.get('www-authenticate'), challenge)
  })

  await t.test(
    'at a plugin is an answer of its own: the result type NeedAdditionalClaims',
    async t => {
      const w = await entraWorld(t)
      const headers = await w.asUser(alice)
      const reply = await submit(w, headers, 'Hello [sim:result=needAdditionalClaims]')
      w.clock.advance(20_000)
      t.match(await w.get(evaluationPath(reply), headers), {
        status: 200,
        body: { evaluationState: 'Completed', evaluationResultType: 'NeedAdditionalClaims' },
      })
    },
  )
})

t.test('what Entra refuses', async t => {
  const refusals: [string, ReturnType<typeof tokenError>, number, string][] = [
    [
      'an assertion that expired',
      tokenError('invalid_grant', 500133, 'Expired.'),
      401,
      'InvalidToken',
    ],
    [
      'a user who was blocked',
      tokenError('invalid_grant', 50057, 'Disabled.'),
      401,
      'InvalidToken',
    ],
    [
      'consent that is missing',
      tokenError('invalid_grant', 65001, 'No consent.', { suberror: 'consent_required' }),
      500,
      'EntraMisconfigured',
    ],
    [
      'this API’s secret',
      tokenError('invalid_client', 7000215, 'Bad secret.'),
      500,
      'EntraMisconfigured',
    ],
    [
      'this API’s secret that expired',
      tokenError('invalid_client', 7000222, 'Expired.'),
      500,
      'EntraMisconfigured',
    ],
    [
      'this API’s registration',
      tokenError('unauthorized_client', 700016, 'Unknown.'),
      500,
      'EntraMisconfigured',
    ],
    [
      'a token for another registration',
      tokenError('invalid_grant', 500131, 'Audience.'),
      500,
      'EntraMisconfigured',
    ],
    [
      'by a policy that blocks',
      tokenError('interaction_required', 53003, 'Blocked.'),
      403,
      'AccessBlocked',
    ],
    [
      'a user without an assignment',
      tokenError('invalid_grant', 50105, 'Not assigned.'),
      403,
      'AccessBlocked',
    ],
    ['a scope', tokenError('invalid_scope', 70011, 'Bad scope.'), 500, 'EntraMisconfigured'],
    [
      'in passing',
      tokenError('temporarily_unavailable', 90033, 'Transient.'),
      503,
      'EntraUnavailable',
    ],
    [
      'in excess',
      tokenError('invalid_request', 90055, 'Throttled.', {}, 429),
      503,
      'EntraUnavailable',
    ],
  ]
  for (const [what, error, status, code] of refusals) {
    await t.test(`${what} becomes ${code}, and nothing of its text goes further`, async t => {
      const w = await entraWorld(t)
      w.entra.refuse(alice, error)
      const reply = await submit(w, await w.asUser(alice))
      t.match(reply, { status, body: { error: { code } } })
      t.equal(reply.headers.has('retry-after'), status === 503)
      t.notMatch(JSON.stringify(reply.body), /AADSTS|contoso/)
      t.notMatch(w.log.join(''), /contoso|Trace ID/)
      const number = /AADSTS(\d+)/.exec(JSON.stringify(error.body))?.[0] ?? 'none'
      t.match(w.log.join(''), number, 'the log has the number, whatever the status')
      t.same(w.calls, [])
    })
  }

  await t.test('is told to the operator by number and setting', async t => {
    const w = await entraWorld(t)
    w.entra.refuse(alice, tokenError('invalid_client', 7000222, 'Expired.'))
    await submit(w, await w.asUser(alice))
    t.match(w.log.join(''), /AADSTS7000222 invalid_client: ENTRA_CLIENT_SECRET: expired/)
  })
})

t.test('when Entra does not answer, a call is 503 EntraUnavailable within its time', async t => {
  for (const outage of ['refuses', 'stalls'] as const) {
    const w = await entraWorld(t, { entraTimeoutMs: 500 })
    const [asAlice, asBob] = [await w.asUser(alice), await w.asUser(bob)]
    await submit(w, asAlice)
    w.outage = outage
    const reply = await submit(w, asBob)
    t.match(reply, { status: 503, body: { error: { code: 'EntraUnavailable' } } }, outage)
    t.equal(reply.headers.get('retry-after'), '10')
    t.equal((await submit(w, asAlice)).status, 202, 'whoever has a token goes on')
  }
})

import t from 'tap'
import { tokenError } from '../../src/sandbox/entra/token-error.ts'
import { environmentVariables } from '../helpers/environment.ts'
import { asPrincipal, entraWorld, principal, type EntraWorld } from '../helpers/entra-world.ts'

const exchanges = ({ entraCalls }: EntraWorld): number =>
  entraCalls.filter(call => call === 'clientCredentials').length
const submit = (w: EntraWorld, headers: Record<string, string>) =>
  w.post('/process-prompt', { PromptContent: 'Hello' }, { ...headers, prefer: 'respond-async' })

t.test('a service principal', async t => {
  await t.test('calls as itself, with one exchange for many calls', async t => {
    const w = await entraWorld(t)
    for (let call = 0; call < 20; call += 1) t.equal((await submit(w, asPrincipal())).status, 202)
    t.equal(exchanges(w), 1)
    t.equal(w.model.listSessions(`app ${principal.clientId}`).length, 20)
  })

  await t.test(
    'is never answered from the entry of a right secret when its own is wrong',
    async t => {
      const w = await entraWorld(t)
      await submit(w, asPrincipal())
      const calls = w.calls.length
      const replies = await Promise.all(
        ['guess', `${principal.clientSecret} `.trim() + '!', 'x'].map(secret =>
          submit(w, asPrincipal(secret)),
        ),
      )
      for (const reply of replies) {
        t.match(reply, { status: 401, body: { error: { code: 'InvalidClientCredentials' } } })
        t.notMatch(JSON.stringify(reply.body), /AADSTS|contoso|secret of/)
      }
      t.equal(w.calls.length, calls)
      t.equal((await submit(w, asPrincipal())).status, 202)
    },
  )

  await t.test('that repeats a wrong secret is refused without asking Entra, for 5 s', async t => {
    const w = await entraWorld(t)
    for (let call = 0; call < 10; call += 1)
      t.equal((await submit(w, asPrincipal('guess'))).status, 401)
    t.equal(exchanges(w), 1)
    w.clock.advance(5001)
    await submit(w, asPrincipal('guess'))
    t.equal(exchanges(w), 2)
  })

  await t.test('is refused when Entra does not know it', async t => {
    const w = await entraWorld(t)
    const headers = {
      ...asPrincipal(),
      'x-entra-client-id': '55555555-5555-4555-8555-555555555555',
    }
    t.match(await submit(w, headers), {
      status: 401,
      body: { error: { code: 'InvalidClientCredentials' } },
    })
  })

  await t.test('is told how to authenticate when it is refused', async t => {
    const w = await entraWorld(t)
    const { headers } = await submit(w, asPrincipal('guess'))
    t.equal(headers.get('www-authenticate'), 'Bearer')
  })

  await t.test('that claims to be this API is refused without asking Entra', async t => {
    const w = await entraWorld(t)
    const api = environmentVariables.ENTRA_CLIENT_ID.toUpperCase()
    const secret = environmentVariables.ENTRA_CLIENT_SECRET
    const reply = await submit(w, { ...asPrincipal(secret), 'x-entra-client-id': api })
    t.match(reply, { status: 401, body: { error: { code: 'InvalidClientCredentials' } } })
    t.equal(reply.headers.get('www-authenticate'), 'Bearer')
    t.same(w.entraCalls, [])
  })

  await t.test('of a tenant that may not call is refused without asking Entra', async t => {
    const w = await entraWorld(t)
    const headers = {
      ...asPrincipal(),
      'x-entra-tenant-id': '55555555-5555-4555-8555-555555555555',
    }
    t.match(await submit(w, headers), {
      status: 403,
      body: { error: { code: 'TenantNotAllowed' } },
    })
    t.same(w.entraCalls, [])
  })

  await t.test('that a policy blocks hears that an administrator must help', async t => {
    const w = await entraWorld(t)
    w.entra.refuse(principal.clientId, tokenError('interaction_required', 53003, 'Blocked.'))
    const reply = await submit(w, asPrincipal())
    t.match(reply, { status: 403, body: { error: { code: 'AccessBlocked' } } })
    t.notMatch(JSON.stringify(reply.body), /AADSTS|53003/)
  })

  await t.test('hears of Conditional Access without claims', async t => {
    const w = await entraWorld(t)
    w.entra.refuse(principal.clientId, tokenError('interaction_required', 50079, 'Enrol.'))
    const reply = await submit(w, asPrincipal())
    t.match(reply, { status: 401, body: { error: { code: 'InsufficientClaims' } } })
    t.equal(reply.headers.get('www-authenticate'), 'Bearer error="insufficient_claims"')
  })

  await t.test('gets a new token after Graph refused the old one', async t => {
    const w = await entraWorld(t)
    const headers = asPrincipal()
    await w.post('/process-prompt', { PromptContent: '[sim:createSession=401]' }, headers)
    await submit(w, headers)
    t.equal(exchanges(w), 2)
  })

  await t.test('is told when Entra does not answer, and may try again at once', async t => {
    const w = await entraWorld(t, { entraTimeoutMs: 500 })
    w.outage = 'refuses'
    t.match(await submit(w, asPrincipal()), {
      status: 503,
      body: { error: { code: 'EntraUnavailable' } },
    })
    w.outage = undefined
    t.equal((await submit(w, asPrincipal())).status, 202)
  })
})

t.test('strangers', async t => {
  const appOf = (index: number) => `${String(index).padStart(8, '0')}-0000-4000-8000-000000000000`
  const tooMany = { status: 429, body: { error: { code: 'TooManyFailedSignIns' } } }

  await t.test('with 1,000 wrong secrets for one app at once ask Entra 10 times', async t => {
    const w = await entraWorld(t)
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => submit(w, asPrincipal(`guess ${index}`))),
    )
    t.equal(exchanges(w), 10)
    t.equal(replies.filter(({ status }) => status === 401).length, 10)
    const refused = replies.filter(({ status }) => status === 429)
    t.equal(refused.length, 990)
    t.match(refused[0], tooMany)
    t.equal(refused[0]?.headers.get('retry-after'), '60')
  })

  await t.test('may ask again when the first refusal is a minute old', async t => {
    const w = await entraWorld(t)
    for (let index = 0; index < 10; index += 1) {
      t.equal((await submit(w, asPrincipal(`guess ${index}`))).status, 401)
      w.clock.advance(1000)
    }
    const refused = await submit(w, asPrincipal('guess again'))
    t.match(refused, tooMany)
    t.equal(refused.headers.get('retry-after'), '50')
    w.clock.advance(49_999)
    t.match(await submit(w, asPrincipal('guess again')), tooMany)
    w.clock.advance(1)
    t.equal((await submit(w, asPrincipal('guess again'))).status, 401)
    t.match(await submit(w, asPrincipal('and again')), tooMany)
    t.equal(exchanges(w), 11)
  })

  await t.test('with many invented apps ask Entra 60 times a minute in all', async t => {
    const w = await entraWorld(t)
    const ask = (index: number) =>
      submit(w, { ...asPrincipal('guess'), 'x-entra-client-id': appOf(index) })
    const replies = await Promise.all(Array.from({ length: 300 }, (_, index) => ask(index)))
    t.equal(exchanges(w), 60)
    t.equal(replies.filter(({ status }) => status === 429).length, 240)
    w.clock.advance(60_000)
    t.equal((await ask(301)).status, 401)
  })

  await t.test('never lock out a secret that was right, though its token has aged', async t => {
    const w = await entraWorld(t)
    t.equal((await submit(w, asPrincipal())).status, 202)
    w.clock.advance(2 * 3_600_000)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => submit(w, asPrincipal(`guess ${index}`))),
    )
    t.match(await submit(w, asPrincipal('guess')), tooMany)
    t.equal((await submit(w, asPrincipal())).status, 202)
  })

  await t.test('gain nothing by a secret that was right once and is not any more', async t => {
    const w = await entraWorld(t)
    await submit(w, asPrincipal())
    w.clock.advance(2 * 3_600_000)
    w.entra.refuse(principal.clientId, tokenError('invalid_client', 7000222, 'Expired.'))
    for (let call = 0; call < 10; call += 1) {
      t.equal((await submit(w, asPrincipal())).status, 401)
      w.clock.advance(5001)
    }
    t.match(await submit(w, asPrincipal()), tooMany)
    t.equal(exchanges(w), 11)
  })

  await t.test('keep no user waiting, and no user’s token from being kept', async t => {
    const w = await entraWorld(t)
    const alice = await w.asUser('a11ce000-0000-4000-8000-000000000001')
    t.equal((await submit(w, alice)).status, 202)
    const guesses = Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        submit(w, { ...asPrincipal('guess'), 'x-entra-client-id': appOf(index) }),
      ),
    )
    const bob = await w.asUser('b0b00000-0000-4000-8000-000000000002')
    t.equal((await submit(w, bob)).status, 202)
    await guesses
    t.equal((await submit(w, alice)).status, 202)
    t.equal(w.entraCalls.filter(call => call === 'onBehalfOf').length, 2)
  })

  await t.test('are not counted while Entra is away', async t => {
    const w = await entraWorld(t, { entraTimeoutMs: 500 })
    w.outage = 'refuses'
    for (let index = 0; index < 12; index += 1)
      t.equal((await submit(w, asPrincipal(`guess ${index}`))).status, 503)
    w.outage = undefined
    t.equal((await submit(w, asPrincipal())).status, 202)
  })
})

t.test('mixed, partial and missing credentials', async t => {
  const w = await entraWorld(t)
  const { 'x-entra-client-secret': _secret, ...partial } = asPrincipal()
  const empty = { 'x-entra-tenant-id': '', 'x-entra-client-id': '', 'x-entra-client-secret': '' }
  const bearer = await w.asUser('a11ce000-0000-4000-8000-000000000001')

  t.match(await submit(w, { ...bearer, ...asPrincipal() }), {
    status: 400,
    body: { error: { code: 'InvalidRequest' } },
  })
  t.match(await submit(w, partial), {
    status: 400,
    body: {
      error: {
        code: 'InvalidRequest',
        details: [{ target: 'x-entra-client-secret', code: 'Required' }],
      },
    },
  })
  const none = await submit(w, empty)
  t.match(none, { status: 401, body: { error: { code: 'AuthenticationRequired' } } })
  t.equal(none.headers.get('www-authenticate'), 'Bearer')
  t.equal((await submit(w, { ...bearer, ...empty })).status, 202)
})

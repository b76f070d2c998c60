import t from 'tap'
import { createEntra } from '../../src/auth/entra.ts'
import { readConfig } from '../../src/config.ts'
import { environmentVariables } from '../helpers/environment.ts'
import { tokenError } from '../../src/sandbox/entra/token-error.ts'
import {
  asPrincipal,
  entraWorld,
  tenantId,
  trusting,
  type EntraWorld,
} from '../helpers/entra-world.ts'

const other = '99999999-9999-4999-8999-999999999999'
const exchanges = ({ entraCalls }: EntraWorld): number =>
  entraCalls.filter(call => call === 'clientCredentials').length
const submit = (w: EntraWorld, headers: Record<string, string>) =>
  w.post('/process-prompt', { PromptContent: 'Hello' }, { ...headers, prefer: 'respond-async' })

/** The same app, by its secret. */
const bySecret = {
  ...asPrincipal(trusting.clientSecret),
  'x-entra-client-id': trusting.clientId,
}

t.test('an app that trusts a managed identity', async t => {
  await t.test('calls as itself by the identity’s token: 50 calls make one exchange', async t => {
    const w = await entraWorld(t)
    const headers = await w.asIdentity()
    const replies = await Promise.all(Array.from({ length: 50 }, () => submit(w, headers)))
    t.ok(replies.every(({ status }) => status === 202))
    t.equal(exchanges(w), 1)
    t.equal(w.model.listSessions(`app ${trusting.clientId}`).length, 50)
    t.notMatch(w.log.join(''), String(headers['authorization']).slice(7, 60))
  })

  await t.test('is the same connection as by its secret', async t => {
    const w = await entraWorld(t, { env: { RATE_LIMIT_CALLS: '2' } })
    t.equal((await submit(w, await w.asIdentity())).status, 202)
    t.equal((await submit(w, bySecret)).status, 202)
    t.equal((await submit(w, await w.asIdentity())).status, 429)
  })

  await t.test('is named by its type', async t => {
    const w = await entraWorld(t)
    const config = readConfig({ ...environmentVariables, ENTRA_AUTHORITY: w.authority })
    const { authenticate } = createEntra({ config, clock: w.clock })
    const caller = async (headers: Record<string, string>) =>
      authenticate({ rawHeaders: Object.entries(headers).flat() } as Parameters<
        typeof authenticate
      >[0])
    const [one, same] = [await caller(await w.asIdentity()), await caller(bySecret)]
    t.match(one, { type: 'OauthClientAssertion', identityId: trusting.clientId, tenantId })
    t.same([one.key, one.identityKey], [same.key, same.identityKey])
  })

  await t.test('is exchanged anew for each token of the identity', async t => {
    const w = await entraWorld(t)
    await submit(w, await w.asIdentity())
    await submit(w, await w.asIdentity({ jti: 'another' }))
    t.equal(exchanges(w), 2)
  })

  await t.test('is not served past the end of the assertion', async t => {
    const w = await entraWorld(t)
    const headers = await w.asIdentity({ exp: Date.UTC(2026, 0, 5, 9, 10) / 1000 })
    t.equal((await submit(w, headers)).status, 202)
    w.clock.advance(9 * 60_000)
    t.equal((await submit(w, headers)).status, 202)
    t.equal(exchanges(w), 2, 'nor in the two minutes before')
    w.clock.advance(2 * 60_000 + 1)
    const reply = await submit(w, headers)
    t.match(reply, { status: 401, body: { error: { code: 'InvalidToken', message: /expired/ } } })
    t.equal(reply.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  })

  await t.test('gets a new token after Graph refused the old one', async t => {
    const w = await entraWorld(t)
    const headers = await w.asIdentity()
    await w.post('/process-prompt', { PromptContent: '[sim:createSession=401]' }, headers)
    await submit(w, headers)
    t.equal(exchanges(w), 2)
  })
})

t.test('an assertion is refused', async t => {
  const refused: [string, object, number, string, RegExp, boolean][] = [
    [
      'of an identity that the app does not trust',
      { claims: { sub: other, oid: other } },
      401,
      'InvalidClientCredentials',
      /federated credential/,
      true,
    ],
    [
      'for an app that trusts nobody',
      { headers: { 'x-entra-client-id': asPrincipal()['x-entra-client-id'] } },
      401,
      'InvalidClientCredentials',
      /federated credential/,
      true,
    ],
    [
      'of a user',
      { claims: { scp: 'user_impersonation' } },
      401,
      'InvalidClientCredentials',
      /federated credential/,
      true,
    ],
    [
      'that came by federation itself',
      { claims: { xms_ficinfo: 'CAAQABgAIAA' } },
      401,
      'InvalidToken',
      /came by federation itself/,
      false,
    ],
    [
      'that does not name its identity',
      { claims: { oid: undefined } },
      401,
      'InvalidToken',
      /identity/,
      false,
    ],
    [
      'for an app of a tenant that may not call',
      { headers: { 'x-entra-tenant-id': other } },
      403,
      'TenantNotAllowed',
      /tenant/,
      false,
    ],
    [
      'for this API itself',
      { headers: { 'x-entra-client-id': environmentVariables.ENTRA_CLIENT_ID } },
      401,
      'InvalidClientCredentials',
      /own/,
      false,
    ],
    [
      'beside a secret',
      { headers: { 'x-entra-client-secret': 'x' } },
      400,
      'InvalidRequest',
      /x-entra-client-secret/,
      false,
    ],
  ]
  for (const [what, given, status, code, message, asked] of refused) {
    await t.test(`${what}: ${status} ${code}`, async t => {
      const w = await entraWorld(t)
      const { claims, headers } = given as Record<string, Record<string, string>>
      const reply = await submit(w, { ...(await w.asIdentity(claims)), ...headers })
      t.match(reply, { status, body: { error: { code, message } } })
      t.equal(reply.headers.has('www-authenticate'), status === 401)
      t.notMatch(JSON.stringify(reply.body), /AADSTS|contoso/)
      t.equal(exchanges(w) > 0, asked)
    })
  }

  await t.test('by a policy: 403 AccessBlocked', async t => {
    const w = await entraWorld(t)
    w.entra.refuse(trusting.clientId, tokenError('interaction_required', 53003, 'Blocked.'))
    t.match(await submit(w, await w.asIdentity()), {
      status: 403,
      body: { error: { code: 'AccessBlocked' } },
    })
  })

  await t.test('when Entra does not answer: 503 EntraUnavailable', async t => {
    const w = await entraWorld(t, { entraTimeoutMs: 500 })
    await w.asUser(other).then(headers => w.get('/sessions/x/prompts/x/promptbook', headers))
    w.outage = 'refuses'
    t.match(await submit(w, await w.asIdentity()), {
      status: 503,
      body: { error: { code: 'EntraUnavailable' } },
    })
  })

  await t.test('10 times a minute, then 429, whatever others guess by secrets', async t => {
    const w = await entraWorld(t)
    for (let guess = 0; guess < 11; guess += 1)
      await submit(w, { ...bySecret, 'x-entra-client-secret': `guess ${guess}` })
    t.equal((await submit(w, await w.asIdentity())).status, 202)
    const ofOther = (jti: number) => w.asIdentity({ sub: other, oid: other, jti: String(jti) })
    for (let call = 0; call < 10; call += 1)
      t.equal((await submit(w, await ofOther(call))).status, 401)
    t.match(await submit(w, await ofOther(10)), {
      status: 429,
      body: { error: { code: 'TooManyFailedSignIns' } },
    })
    t.equal(
      (await submit(w, await w.asIdentity({ jti: 'new' }))).status,
      202,
      'but the right one goes',
    )
  })
})

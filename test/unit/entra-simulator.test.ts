import t, { type Test } from 'tap'
import { readCredentials } from '../../src/auth/credentials.ts'
import { createEntraModel } from '../../src/sandbox/entra/entra-model.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { entraWorld, principal, tenantId } from '../helpers/entra-world.ts'
import { environmentVariables } from '../helpers/environment.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const api = {
  client_id: environmentVariables.ENTRA_CLIENT_ID,
  client_secret: environmentVariables.ENTRA_CLIENT_SECRET,
}
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/** The token endpoint, asked as any client would. */
async function endpoint(t: Test) {
  const w = await entraWorld(t)
  const ask = async (form: Record<string, string>, tenant = tenantId) => {
    const init = { method: 'POST', body: new URLSearchParams(form) }
    const response = await fetch(`${w.authority}/${tenant}/oauth2/v2.0/token`, init)
    return { status: response.status, body: (await response.json()) as any }
  }
  return { w, ask }
}

t.test('the token endpoint', async t => {
  await t.test('exchanges a user’s token for one that Graph knows', async t => {
    const { w, ask } = await endpoint(t)
    const assertion = await w.entra.userToken(alice, {}, w.authority)
    const { status, body } = await ask({ ...api, grant_type: jwtBearer, assertion })
    t.equal(status, 200)
    t.match(body, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599 })
    t.match(w.entra.callerOf(body.access_token), { owner: `user ${alice}` })
  })

  await t.test('gives an app its own token', async t => {
    const { w, ask } = await endpoint(t)
    const { clientId, clientSecret } = principal
    const { body } = await ask({
      client_id: clientId,
      client_secret: clientSecret,
      grant_type: 'client_credentials',
    })
    t.match(w.entra.callerOf(body.access_token), { owner: `app ${clientId}` })
  })

  const refusals: [string, Record<string, string>, number][] = [
    ['another API', { ...api, client_id: alice, grant_type: jwtBearer }, 700016],
    ['a wrong secret of the API', { ...api, client_secret: 'x', grant_type: jwtBearer }, 7000215],
    ['an assertion that is none', { ...api, grant_type: jwtBearer, assertion: 'x' }, 50013],
    ['no assertion', { ...api, grant_type: jwtBearer }, 50013],
    ['an unknown app', { grant_type: 'client_credentials' }, 700016],
  ]
  for (const [what, form, aadsts] of refusals) {
    await t.test(`refuses ${what} with AADSTS${aadsts}`, async t => {
      const { ask } = await endpoint(t)
      const { status, body } = await ask(form)
      t.equal(status, 400)
      t.match(body, { error_codes: [aadsts], error_description: new RegExp(`^AADSTS${aadsts}: `) })
    })
  }

  await t.test('refuses an assertion out of time', async t => {
    const { w, ask } = await endpoint(t)
    const assertion = await w.entra.userToken(alice, {}, w.authority)
    w.clock.advance(2 * 3_600_000)
    t.match(await ask({ ...api, grant_type: jwtBearer, assertion }), {
      status: 400,
      body: { error_codes: [500133] },
    })
  })

  await t.test('knows no other tenant, and fails as Entra does on what it cannot read', async t => {
    const { w, ask } = await endpoint(t)
    t.match(await ask(api, alice), { status: 400, body: { error_codes: [90002] } })
    const init = { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }
    const unread = await fetch(`${w.authority}/${tenantId}/oauth2/v2.0/token`, init)
    t.equal(unread.status, 500)
  })
})

t.test('discovery names the issuer of each token version', async t => {
  const { w } = await endpoint(t)
  const issuers = []
  for (const path of ['v2.0/.well-known', '.well-known']) {
    const response = await fetch(`${w.authority}/${tenantId}/${path}/openid-configuration`)
    issuers.push(((await response.json()) as { issuer: string }).issuer)
  }
  t.same(issuers, [`${w.authority}/${tenantId}/v2.0`, `https://sts.windows.net/${tenantId}/`])
})

t.test('a tenant without service principals refuses every app', async t => {
  const entra = await createEntraModel({ clock: leapingClock(), tenantId, api: principal })
  await t.rejects(entra.clientCredentials(principal), { name: 'TokenError' })
  const token = await entra.userToken(alice, {}, 'https://login.example')
  t.match(readCredentials(['Authorization', `Bearer ${token}`]), { kind: 'bearer' })
})

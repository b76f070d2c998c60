import t, { type Test } from 'tap'
import type { Caller } from '../../src/auth/caller.ts'
import { createEntra } from '../../src/auth/entra.ts'
import { readConfig } from '../../src/config.ts'
import { environmentVariables } from '../helpers/environment.ts'
import { asPrincipal, entraWorld, principal, tenantId } from '../helpers/entra-world.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const bob = 'b0b00000-0000-4000-8000-000000000002'

/** Who a call with these headers is taken for. */
type Who = (headers: Record<string, string>) => Promise<Caller>

async function authentication(t: Test) {
  const w = await entraWorld(t)
  const config = readConfig({ ...environmentVariables, ENTRA_AUTHORITY: w.authority })
  const { authenticate } = createEntra({ config, clock: w.clock })
  const who: Who = headers =>
    authenticate({ rawHeaders: Object.entries(headers).flat() } as Parameters<
      typeof authenticate
    >[0])
  return { w, who }
}

t.test('the identity behind a connection', async t => {
  await t.test('is tenant and user, whatever client app the user came by', async t => {
    const { w, who } = await authentication(t)
    const byOne = await who(await w.asUser(alice))
    const byOther = await who(await w.asUser(alice.toUpperCase(), { claims: { azp: bob } }))
    t.match(byOne, { type: 'Oauth', identityId: alice, tenantId })
    t.not(byOne.key, byOther.key)
    t.equal(byOne.identityKey, byOther.identityKey)
    t.not((await who(await w.asUser(bob))).identityKey, byOne.identityKey)
  })

  await t.test('is tenant and app for a service principal', async t => {
    const { who } = await authentication(t)
    const caller = await who(asPrincipal())
    t.match(caller, { type: 'OauthServicePrincipal', identityId: principal.clientId, tenantId })
    t.equal(caller.identityKey, caller.key)
  })
})

import t from 'tap'
import { createSigningKeys } from '../../src/auth/signing-keys.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { entraWorld, tenantId, type EntraWorld } from '../helpers/entra-world.ts'
import { stub } from '../helpers/stub.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const minuteMs = 60_000

/** The status of a call with a token that is signed anew. */
const call = async (w: EntraWorld): Promise<number> => {
  const headers = await w.asUser(alice)
  return (await w.get(`/sessions/${alice}/prompts/${alice}/promptbook`, headers)).status
}
const keyReads = ({ entraCalls }: EntraWorld): number =>
  entraCalls.filter(what => what === 'keys').length

/** What a call answers once its token is accepted: nobody has such a session. */
const accepted = 404

t.test('signing keys', async t => {
  await t.test('that were rolled are accepted without a restart', async t => {
    const w = await entraWorld(t)
    t.equal(await call(w), accepted)
    await w.entra.rollKey()
    t.equal(await call(w), accepted)
    t.equal(keyReads(w), 2)
  })

  await t.test('that are unknown are looked for at most every 5 minutes', async t => {
    const w = await entraWorld(t)
    await call(w)
    await w.entra.rollKey()
    await call(w)
    await w.entra.rollKey()
    t.equal(await call(w), 401)
    t.equal(await call(w), 401)
    t.equal(keyReads(w), 2)
    w.clock.advance(5 * minuteMs)
    t.equal(await call(w), accepted)
    t.equal(keyReads(w), 3)
  })

  await t.test(
    'are served for an hour and a day while Entra does not answer, and no longer',
    async t => {
      const w = await entraWorld(t, { entraTimeoutMs: 500 })
      const lasting = { claims: { exp: Date.UTC(2026, 0, 9) / 1000 } }
      const get = async () => {
        const { status, body } = await w.get(
          `/sessions/x/prompts/x/promptbook`,
          await w.asUser(alice, lasting),
        )
        return status === 400 ? 'accepted' : body.error.code
      }
      t.equal(await get(), 'accepted')
      w.outage = 'refuses'
      w.clock.advance(61 * minuteMs)
      t.equal(await get(), 'accepted')
      w.clock.advance(22 * 60 * minuteMs)
      t.equal(await get(), 'accepted')
      w.clock.advance(61 * minuteMs)
      t.equal(await get(), 'EntraUnavailable')
      w.outage = undefined
      t.equal(await get(), 'accepted')
    },
  )

  await t.test('of an hour’s age are read anew in the background', async t => {
    const w = await entraWorld(t)
    await call(w)
    w.clock.advance(61 * minuteMs)
    t.equal(await call(w), accepted)
    while (keyReads(w) < 2) await new Promise(resolve => setImmediate(resolve))
    t.equal(await call(w), accepted)
    t.equal(keyReads(w), 2)
  })

  await t.test('that cannot be read at first are 503, and read as soon as they can', async t => {
    const w = await entraWorld(t)
    w.outage = 'refuses'
    t.equal(await call(w), 503)
    w.outage = undefined
    t.equal(await call(w), accepted)
  })

  await t.test('published for another use do not verify', async t => {
    for (const change of [{ use: 'enc' }, { kty: 'EC' }, { kid: 5 }] as object[]) {
      const w = await entraWorld(t)
      w.entra.changeKeys(key => ({ ...key, ...change }))
      t.equal(await call(w), 401, JSON.stringify(change))
    }
  })

  await t.test('are of each token version by itself', async t => {
    const w = await entraWorld(t)
    const get = async (version: 'v1' | 'v2') =>
      (await w.get(`/sessions/x/prompts/x/promptbook`, await w.asUser(alice, { version }))).status
    t.same([await get('v1'), await get('v2'), await get('v1')], [400, 400, 400])
    t.equal(keyReads(w), 2)
  })
})

t.test('keys that are published elsewhere than at Entra are not read', async t => {
  let elsewhere = 0
  const other = await stub(t, (_request, response) => {
    elsewhere += 1
    response.end('{"keys":[]}')
  })
  const authority = await stub(t, (_request, response) =>
    response.end(JSON.stringify({ jwks_uri: `${other}/keys` })),
  )
  const { find: findKey } = createSigningKeys({ authority, clock: leapingClock() })
  const origin = {
    tenantId,
    version: 'v2',
    issuer: `${authority}/${tenantId}/v2.0`,
    keyId: 'x',
  } as const
  await t.rejects(findKey(origin), { code: 'EntraUnavailable' })
  t.equal(elsewhere, 0)
})

import { exportJWK, generateKeyPair } from 'jose'
import t from 'tap'
import { createSigningKeys } from '../../src/auth/signing-keys.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { entraWorld, tenantId, type EntraWorld } from '../helpers/entra-world.ts'
import { request } from '../helpers/world.ts'
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

/** The status of a call with a token that names this key, whoever made it. */
const callWithKid = async (w: EntraWorld, kid: string): Promise<number> => {
  const headers = await w.asUser(alice, { header: { kid } })
  return (await w.get(`/sessions/${alice}/prompts/${alice}/promptbook`, headers)).status
}

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

  await t.test('that are unknown cause one read for all who come meanwhile', async t => {
    const w = await entraWorld(t)
    await call(w)
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => callWithKid(w, `invented ${index}`)),
    )
    t.ok(statuses.every(status => status === 401))
    t.equal(keyReads(w), 2)
  })

  await t.test('that are unknown cause at most one read in 10 s for a tenant', async t => {
    const w = await entraWorld(t)
    await call(w)
    t.equal(await callWithKid(w, 'invented'), 401)
    w.clock.advance(9999)
    t.equal(await callWithKid(w, 'invented too'), 401)
    t.equal(keyReads(w), 2)
    w.clock.advance(1)
    t.equal(await callWithKid(w, 'invented too'), 401)
    t.equal(keyReads(w), 3)
  })

  await t.test('that are unknown cause at most one read in 5 minutes for the same id', async t => {
    const w = await entraWorld(t)
    await call(w)
    for (let second = 0; second < 300; second += 10) {
      t.equal(await callWithKid(w, 'invented'), 401)
      w.clock.advance(10_000)
    }
    t.equal(keyReads(w), 2)
    await callWithKid(w, 'invented')
    t.equal(keyReads(w), 3)
  })

  await t.test('that were rolled are kept out by no invented ones', async t => {
    const w = await entraWorld(t)
    await call(w)
    t.equal(await callWithKid(w, 'invented'), 401)
    await w.entra.rollKey()
    for (let second = 0; second < 9; second += 1) {
      t.equal(await callWithKid(w, `invented ${second}`), 401)
      w.clock.advance(1000)
    }
    t.equal(await call(w), 401, 'and is not yet looked for')
    w.clock.advance(1000)
    t.equal(await call(w), accepted)
  })

  await t.test('that are unknown while a read fails are 503, and accepted right after', async t => {
    const w = await entraWorld(t)
    await call(w)
    await w.entra.rollKey()
    w.outage = 'refuses'
    t.equal(await call(w), 503)
    t.equal(await callWithKid(w, 'invented'), 503)
    w.outage = undefined
    t.equal(await call(w), accepted)
  })

  await t.test('that are unknown at the first load of all are not read a second time', async t => {
    const w = await entraWorld(t)
    t.equal(await callWithKid(w, 'invented'), 401)
    t.equal(keyReads(w), 1)
    await w.entra.rollKey()
    t.equal(await call(w), accepted, 'and the first load keeps none out')
  })

  await t.test('that are unknown share the read of the background, and then have one', async t => {
    const w = await entraWorld(t)
    await call(w)
    w.clock.advance(61 * minuteMs)
    const [known, unknown] = await Promise.all([call(w), callWithKid(w, 'invented')])
    t.same([known, unknown], [accepted, 401])
    t.ok(keyReads(w) <= 3)
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
    await w.entra.rollKey()
    t.same([await get('v1'), await get('v2')], [400, 400], 'both are found by one look')
    t.equal(keyReads(w), 4)
  })
})

t.test('readiness waits for the keys of the home tenant', async t => {
  await t.test('until they were read once, and never again', async t => {
    const w = await entraWorld(t)
    w.outage = 'refuses'
    t.match(await request(`${w.url}/readyz`), {
      status: 503,
      body: { error: { code: 'EntraUnavailable' } },
    })
    w.outage = undefined
    t.equal((await request(`${w.url}/readyz`)).status, 200)
    t.equal(keyReads(w), 1)
    w.outage = 'refuses'
    w.clock.advance(25 * 60 * minuteMs)
    t.equal((await request(`${w.url}/readyz`)).status, 200)
    t.equal(keyReads(w), 1)
  })

  await t.test('with one read for all who ask, which serves the first call too', async t => {
    const w = await entraWorld(t)
    await Promise.all(Array.from({ length: 10 }, () => request(`${w.url}/readyz`)))
    t.equal(await call(w), accepted)
    t.equal(keyReads(w), 1)
  })
})

const originAt = (authority: string, keyId = 'x') =>
  ({ tenantId, version: 'v2', issuer: `${authority}/${tenantId}/v2.0`, keyId }) as const

t.test('old keys are tried once a minute while Entra does not answer', async t => {
  const clock = leapingClock()
  const { publicKey } = await generateKeyPair('RS256', { extractable: true })
  const key = { ...(await exportJWK(publicKey)), kid: 'x' }
  const authority = 'https://login.example'
  let asked = 0
  let answers = true
  const keys = createSigningKeys({
    authority,
    clock,
    homeTenantId: tenantId,
    fetch: async url => {
      asked += 1
      if (!answers) throw new Error('no answer')
      return Response.json(
        url.includes('openid') ? { jwks_uri: `${authority}/keys` } : { keys: [key] },
      )
    },
  })
  t.ok(await keys.find(originAt(authority)))
  answers = false
  clock.advance(61 * minuteMs)
  for (let second = 0; second < 60; second += 1) {
    t.ok(await keys.find(originAt(authority)))
    clock.advance(1000)
  }
  t.equal(asked, 3)
  t.ok(await keys.find(originAt(authority)))
  t.equal(asked, 4)
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
  const { find: findKey } = createSigningKeys({
    authority,
    clock: leapingClock(),
    homeTenantId: tenantId,
  })
  await t.rejects(findKey(originAt(authority)), { code: 'EntraUnavailable' })
  t.equal(elsewhere, 0)
})

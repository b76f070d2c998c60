import { rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { createOwnAssertion, expectedCredential } from '../../src/auth/own-assertion.ts'
import { createIdentityEndpoint } from '../../src/sandbox/entra/identity-endpoint.ts'
import { monday } from '../helpers/leaping-clock.ts'
import { entraWorld, type EntraWorld, type EntraWorldOptions } from '../helpers/entra-world.ts'
import { stub } from '../helpers/stub.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const objectId = '77777777-7777-4777-8777-777777777777'
const secretless = { ENTRA_CLIENT_SECRET: '' }
const exchanges = ({ entraCalls }: EntraWorld): number =>
  entraCalls.filter(call => call === 'onBehalfOf').length
const submit = (w: EntraWorld, headers: Record<string, string>) =>
  w.post('/process-prompt', { PromptContent: 'Hello' }, { ...headers, prefer: 'respond-async' })

/** A cluster whose service accounts' tokens are projected into a file. */
async function workload(t: Test, more: EntraWorldOptions = {}) {
  const issuer = 'https://oidc.cluster.example/'
  const subject = 'system:serviceaccount:copilot:connector'
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const file = `${t.testdir()}/token`
  const project = async (claims: Record<string, unknown> = {}): Promise<void> => {
    const now = monday / 1000
    const token = new SignJWT({
      iss: issuer,
      sub: subject,
      aud: ['api://AzureADTokenExchange'],
      iat: now,
      exp: now + 3600,
      ...claims,
    })
    // A line break at its end, as files have one.
    writeFileSync(
      file,
      `${await token.setProtectedHeader({ alg: 'RS256', kid: 'k' }).sign(privateKey)}\n`,
    )
  }
  await project()
  const w = await entraWorld(t, {
    env: { ...secretless, ENTRA_CLIENT_ASSERTION: 'file', ENTRA_FEDERATED_TOKEN_FILE: file },
    apiFederated: [
      { issuer, subject, keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }] },
    ],
    ...more,
  })
  return { w, file, project }
}

t.test('this API’s own credential as a file of a workload identity', async t => {
  await t.test('exchanges users’ tokens without a secret: 50 calls make one exchange', async t => {
    const { w } = await workload(t)
    const headers = await w.asUser(alice)
    const replies = await Promise.all(Array.from({ length: 50 }, () => submit(w, headers)))
    t.ok(replies.every(({ status }) => status === 202))
    t.equal(exchanges(w), 1)
    t.equal(w.model.listSessions(`user ${alice}`).length, 50)
  })

  await t.test(
    'is read anew for each exchange: a rotated file serves without a restart',
    async t => {
      const { w, project } = await workload(t)
      await project({ exp: monday / 1000 + 60 })
      t.equal((await submit(w, await w.asUser(alice))).status, 202)
      w.clock.advance(600_000)
      const late = await w.asUser(alice)
      t.match(await submit(w, late), {
        status: 500,
        body: { error: { code: 'EntraMisconfigured' } },
      })
      await project()
      t.equal((await submit(w, late)).status, 202)
    },
  )

  const wrong: [string, Record<string, unknown>, RegExp][] = [
    [
      'another issuer',
      { iss: 'https://other.example/' },
      /AADSTS700211 .*\(issuer\).*https:\/\/other.example/,
    ],
    ['another audience', { aud: 'api://other' }, /AADSTS700212 .*\(audience\).*api:\/\/other/],
    ['another subject', { sub: 'system:other' }, /AADSTS700213 .*\(subject\).*system:other/],
    ['a time that is over', { exp: monday / 1000 - 600 }, /AADSTS700024 .*out of time/],
  ]
  for (const [what, claims, line] of wrong) {
    await t.test(`with ${what} is EntraMisconfigured, and the log says which`, async t => {
      const { w, project } = await workload(t)
      await project(claims)
      const reply = await submit(w, await w.asUser(alice))
      t.match(reply, { status: 500, body: { error: { code: 'EntraMisconfigured' } } })
      t.notMatch(JSON.stringify(reply.body), /AADSTS|serviceaccount|example/)
      t.match(w.log.join('').replaceAll('\\"', '"'), line)
    })
  }

  await t.test('that came by federation itself is told before Entra is asked', async t => {
    const { w, project } = await workload(t)
    await project({ xms_ficinfo: 'CAAQABgAIAA' })
    t.match(await submit(w, await w.asUser(alice)), {
      status: 500,
      body: { error: { code: 'EntraMisconfigured' } },
    })
    t.match(w.log.join(''), /came by federation itself/)
    t.equal(exchanges(w), 0)
  })

  await t.test('that is gone, no JWT or far too long is EntraMisconfigured', async t => {
    const { w, file } = await workload(t)
    const broken: [() => void, RegExp][] = [
      [() => writeFileSync(file, 'hello'), /is no JWT/],
      [() => writeFileSync(file, ''), /is no JWT/],
      [() => writeFileSync(file, `e30.${'A'.repeat(70_000)}.AA`), /is no JWT/],
      [() => rmSync(file), /ENTRA_FEDERATED_TOKEN_FILE names a file that cannot be read/],
    ]
    for (const [spoil, line] of broken) {
      spoil()
      w.log.length = 0
      t.match(await submit(w, await w.asUser(alice)), {
        status: 500,
        body: { error: { code: 'EntraMisconfigured' } },
      })
      t.match(w.log.join(''), line)
    }
    t.equal(exchanges(w), 0)
  })
})

/**
 * The identity endpoint of this process: @azure/identity looks for it once, so it answers as each
 * test wants.
 */
let answer: RequestListener = () => undefined
process.env['IDENTITY_ENDPOINT'] =
  `${await stub(t, (request, response) => answer(request, response))}/msi/token`
process.env['IDENTITY_HEADER'] = 'the-header'

/** Another id for each test: @azure/identity keeps tokens for the whole process. */
let lastIdentity = 0
const nextClientId = (): string =>
  `66666666-6666-4666-8666-${String((lastIdentity += 1)).padStart(12, '0')}`

t.test('this API’s own credential as a managed identity', async t => {
  async function managed(t: Test, asked: string | undefined, claims = {}) {
    const clientId = nextClientId()
    const w = await entraWorld(t, {
      env: {
        ...secretless,
        ENTRA_CLIENT_ASSERTION: 'managed-identity',
        ENTRA_MANAGED_IDENTITY_CLIENT_ID: asked ?? clientId,
      },
      apiFederated: [{ subject: objectId }],
    })
    let calls = 0
    const endpoint = createIdentityEndpoint({
      model: w.entra,
      identities: [{ clientId, objectId }],
      secret: 'the-header',
      authority: w.authority,
      claims: () => claims,
      onCall: () => {
        calls += 1
      },
    })
    await endpoint.ready()
    answer = (request, response) => endpoint.routing(request, response)
    return { w, calls: () => calls }
  }

  await t.test('of App Service exchanges users’ tokens: 50 users ask it once', async t => {
    const { w, calls } = await managed(t, undefined)
    const users = Array.from({ length: 50 }, (_, index) => alice.replace(/01$/, String(10 + index)))
    const replies = await Promise.all(users.map(async user => submit(w, await w.asUser(user))))
    t.ok(replies.every(({ status }) => status === 202))
    t.equal(exchanges(w), 50)
    t.equal(calls(), 1)
  })

  await t.test('that does not exist is EntraMisconfigured', async t => {
    const { w } = await managed(t, nextClientId())
    t.match(await submit(w, await w.asUser(alice)), {
      status: 500,
      body: { error: { code: 'EntraMisconfigured' } },
    })
    t.match(
      w.log.join(''),
      /ENTRA_MANAGED_IDENTITY_CLIENT_ID: the identity endpoint refuses it with 400/,
    )
    t.equal(exchanges(w), 0)
  })

  await t.test('that came by federation itself is told before Entra is asked', async t => {
    const { w } = await managed(t, undefined, { xms_ficinfo: 'CAAQABgAIAA' })
    t.match(await submit(w, await w.asUser(alice)), { status: 500 })
    t.match(w.log.join(''), /came by federation itself/)
    t.equal(exchanges(w), 0)
  })

  await t.test('that does not answer is EntraUnavailable within its time', async t => {
    answer = () => undefined
    const w = await entraWorld(t, {
      env: { ...secretless, ENTRA_CLIENT_ASSERTION: 'managed-identity' },
      entraTimeoutMs: 300,
    })
    const reply = await submit(w, await w.asUser(alice))
    t.match(reply, { status: 503, body: { error: { code: 'EntraUnavailable' } } })
    t.equal(reply.headers.get('retry-after'), '10')
  })

  await t.test('that fails is EntraUnavailable', async t => {
    answer = (_request, response) => {
      response.statusCode = 500
      response.end('{"message":"Not now"}')
    }
    const own = createOwnAssertion({
      source: { kind: 'managed-identity', clientId: nextClientId() },
      timeoutMs: 2000,
    })
    await t.rejects(own(), { code: 'EntraUnavailable', cause: { message: /answered 500/ } })
  })
})

t.test('expectedCredential() tells what a federated credential must say', async t => {
  const payload = Buffer.from(JSON.stringify({ iss: 'i', sub: 's', aud: ['a'] }))
  t.equal(
    expectedCredential(`e30.${payload.toString('base64url')}.AA`),
    '; the assertion has issuer "i", subject "s", audience ["a"]',
  )
  t.match(expectedCredential('hello'), /issuer undefined/)
})

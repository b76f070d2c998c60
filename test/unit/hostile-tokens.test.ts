import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { claimsExchangeAudience } from '../../src/auth/exchange-audience.ts'
import { entraWorld, identity, tenantId, type EntraWorld } from '../helpers/entra-world.ts'
import { environmentVariables } from '../helpers/environment.ts'

const alice = 'a11ce000-0000-4000-8000-000000000001'
const other = '99999999-9999-4999-8999-999999999999'
const path = `/sessions/${alice}/prompts/${alice}/promptbook`

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')
const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
/** The token with another header, under its old signature. */
const withHeader = (token: string, header: object): string =>
  [encode(header), ...token.split('.').slice(1)].join('.')

/** How to make a token that must be refused, and the code that says so. */
type Hostile = [string, string, (w: EntraWorld) => Promise<string>]

const user =
  (claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
  (w: EntraWorld) =>
    w.entra.userToken(alice, { claims, header }, w.authority)

const hostile: Hostile[] = [
  ['what is no JWT', 'InvalidToken', async () => 'hello'],
  ['two parts', 'InvalidToken', async w => (await user({})(w)).split('.').slice(0, 2).join('.')],
  ['four parts', 'InvalidToken', async w => `${await user({})(w)}.x`],
  ['an empty signature', 'InvalidToken', async w => (await user({})(w)).replace(/[^.]+$/, '')],
  ['a padded signature', 'InvalidToken', async w => `${await user({})(w)}=`],
  [
    'a signature with loose bits at its end',
    'InvalidToken',
    async w => {
      const token = await user({})(w)
      const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      return token.slice(0, -1) + last[last.indexOf(token.at(-1) ?? '') + 1]
    },
  ],
  [
    'a signature in plain base64',
    'InvalidToken',
    async w => `${(await user({})(w)).replace(/.{4}$/, '')}+/+/`,
  ],
  [
    'another signature',
    'InvalidToken',
    async w => `${(await user({})(w)).replace(/[^.]+$/, '')}${'A'.repeat(342)}`,
  ],
  [
    'a payload that was changed',
    'InvalidToken',
    async w => {
      const [header, , signature] = (await user({})(w)).split('.')
      const claims = {
        iss: `${w.authority}/${tenantId}/v2.0`,
        tid: tenantId,
        oid: other,
        scp: 'access_as_user',
      }
      return `${header}.${encode(claims)}.${signature}`
    },
  ],
  ['white space in it', 'InvalidToken', async w => (await user({})(w)).replace('.', '. ')],
  ['white space before it', 'InvalidToken', async w => ` ${await user({})(w)}`],
  [
    'a comma and a second token',
    'InvalidToken',
    async w => `${await user({})(w)},${await user({})(w)}`,
  ],
  ['other letters in it', 'InvalidToken', async w => (await user({})(w)).replace('e', '\u00e9')],
  [
    'alg none',
    'InvalidToken',
    async w => {
      const token = await user({})(w)
      return withHeader(token, { ...headerOf(token), alg: 'none' }).replace(/[^.]+$/, '')
    },
  ],
  [
    'alg HS256, signed with the public key',
    'InvalidToken',
    async w => {
      const [key] = w.entra.publicKeys()
      const [, payload] = (await user({})(w)).split('.')
      const signed = `${encode({ alg: 'HS256', kid: key?.kid, typ: 'JWT' })}.${payload}`
      return `${signed}.${createHmac('sha256', String(key?.n)).update(signed).digest('base64url')}`
    },
  ],
  [
    'an unknown alg',
    'InvalidToken',
    async w => {
      const token = await user({})(w)
      return withHeader(token, { ...headerOf(token), alg: 'RS1' })
    },
  ],
  [
    'alg as an array',
    'InvalidToken',
    async w => {
      const token = await user({})(w)
      return withHeader(token, { ...headerOf(token), alg: ['RS256'] })
    },
  ],
  ['no kid', 'InvalidToken', user({}, { kid: undefined })],
  ['a kid that is a number', 'InvalidToken', user({}, { kid: 7 })],
  ['a kid that leads elsewhere', 'InvalidToken', user({}, { kid: '../../etc/passwd' })],
  ['an unknown kid', 'InvalidToken', user({}, { kid: 'unknown' })],
  ['an embedded jwk', 'InvalidToken', user({}, { jwk: { kty: 'RSA' } })],
  ['a jku', 'InvalidToken', user({}, { jku: 'https://evil.example/keys' })],
  ['an x5u', 'InvalidToken', user({}, { x5u: 'https://evil.example/cert' })],
  ['an x5c', 'InvalidToken', user({}, { x5c: ['MII'] })],
  [
    'crit',
    'InvalidToken',
    async w => {
      const token = await user({})(w)
      return withHeader(token, { ...headerOf(token), crit: ['exp'], exp: 1 })
    },
  ],
  ['a header that is no object', 'InvalidToken', async w => withHeader(await user({})(w), [1])],
  ['a foreign issuer', 'InvalidToken', user({ iss: 'https://accounts.example.com' })],
  ['an issuer that every object has', 'InvalidToken', user({ iss: 'constructor' })],
  ['an issuer that leads to a prototype', 'InvalidToken', user({ iss: '__proto__' })],
  [
    'an issuer that begins like Entra',
    'InvalidToken',
    user({ iss: `https://sts.windows.net.evil.example/${tenantId}/` }),
  ],
  ['an issuer of another tenant than tid', 'InvalidToken', user({ tid: other })],
  [
    'an issuer that is an array',
    'InvalidToken',
    w => user({ iss: [`${w.authority}/${tenantId}/v2.0`] })(w),
  ],
  ['no tid', 'InvalidToken', user({ tid: undefined })],
  ['a tid that is a number', 'InvalidToken', user({ tid: 7 })],
  [
    'a tenant that may not call',
    'TenantNotAllowed',
    w => user({ tid: other, iss: `${w.authority}/${other}/v2.0` })(w),
  ],
  [
    'a v1 tenant that may not call',
    'TenantNotAllowed',
    user({ tid: other, iss: `https://sts.windows.net/${other}/` }),
  ],
  ['another audience', 'InvalidToken', user({ aud: other })],
  ['a token for Graph', 'InvalidToken', user({ aud: 'https://graph.microsoft.com' })],
  [
    'a token for Graph, by its id',
    'InvalidToken',
    user({ aud: '00000003-0000-0000-c000-000000000000' }),
  ],
  [
    'an audience that is an array',
    'InvalidToken',
    user({ aud: [environmentVariables.ENTRA_CLIENT_ID] }),
  ],
  ['no audience', 'InvalidToken', user({ aud: undefined })],
  ['expired', 'InvalidToken', user({ exp: Date.UTC(2026, 0, 5, 8, 58, 59) / 1000 })],
  ['not yet valid', 'InvalidToken', user({ nbf: Date.UTC(2026, 0, 5, 9, 1, 1) / 1000 })],
  ['no expiry', 'InvalidToken', user({ exp: undefined })],
  ['an expiry that is text', 'InvalidToken', user({ exp: '9999999999' })],
  ['no oid', 'InvalidToken', user({ oid: undefined })],
  ['an oid that is an array', 'InvalidToken', user({ oid: [alice] })],
  ['an id token', 'ScopeMissing', user({ scp: undefined, azp: undefined, nonce: 'x' })],
  ['no scope', 'ScopeMissing', user({ scp: undefined })],
  ['another scope', 'ScopeMissing', user({ scp: 'User.Read' })],
  [
    'the scope as part of another',
    'ScopeMissing',
    user({ scp: 'access_as_user.all not_access_as_user' }),
  ],
  ['the scope in another case', 'ScopeMissing', user({ scp: 'Access_As_User' })],
  ['a scope that is an array', 'InvalidToken', user({ scp: ['access_as_user'] })],
  [
    'an app-only token',
    'AppOnlyTokenNotSupported',
    user({ scp: undefined, idtyp: 'app', roles: ['x'] }),
  ],
  [
    'an app-only token without idtyp',
    'AppOnlyTokenNotSupported',
    user({ scp: undefined, sub: alice }),
  ],
  [
    'an app-only token by its roles',
    'AppOnlyTokenNotSupported',
    user({ scp: undefined, roles: ['Copilot.Use'] }),
  ],
  [
    'an app-only token without oid',
    'AppOnlyTokenNotSupported',
    user({ oid: undefined, idtyp: 'app' }),
  ],
  ['an app-only token that claims the scope', 'AppOnlyTokenNotSupported', user({ idtyp: 'app' })],
]

const statuses: Record<string, number> = {
  InvalidToken: 401,
  TenantNotAllowed: 403,
  ScopeMissing: 403,
  AppOnlyTokenNotSupported: 403,
}

t.test('a bearer token is refused', async t => {
  const w = await entraWorld(t)
  for (const [what, code, make] of hostile) {
    await t.test(`with ${code}: ${what}`, async t => {
      const token = await make(w)
      const reply = await w.get(path, { authorization: `Bearer ${token}` })
      t.match(reply, { status: statuses[code], body: { error: { code } } })
      if (reply.status === 401)
        t.equal(reply.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
      const [, payload = '-'] = token.split('.')
      t.notOk(payload.length > 20 && JSON.stringify(reply.body).includes(payload))
    })
  }
  t.same(w.calls, [], 'and Graph hears nothing of it')
  t.notOk(w.entraCalls.includes('onBehalfOf'), 'nor is it ever exchanged')
})

t.test('an assertion in the place of an app’s secret is refused', async t => {
  const w = await entraWorld(t)
  // The same rows, made of the token of an identity that an app trusts.
  const userToken: EntraWorld['entra']['userToken'] = (_user, { claims, header }, authority) =>
    w.entra.identityToken(identity, authority, claims, header)
  const ofIdentity: EntraWorld = { ...w, entra: { ...w.entra, userToken } }
  for (const [what, code, make] of hostile) {
    if (code === 'ScopeMissing' || code === 'AppOnlyTokenNotSupported') continue
    const token = await make(ofIdentity)
    const expected = claimsExchangeAudience(token) ? code : 'InvalidRequest'
    await t.test(`with ${expected}: ${what}`, async t => {
      const headers = { ...(await w.asIdentity()), authorization: `Bearer ${token}` }
      const { status, body } = await w.get(path, headers)
      t.equal(body.error.code, expected)
      t.equal(status, { ...statuses, InvalidRequest: 400 }[expected])
    })
  }
  t.same(w.calls, [])
  t.notOk(w.entraCalls.includes('clientCredentials'), 'Entra is never asked')
})

t.test('cheap checks come before any key is fetched', async t => {
  const cheap = new Set([
    'what is no JWT',
    'alg none',
    'crit',
    'an embedded jwk',
    'a foreign issuer',
    'an issuer that every object has',
    'an issuer that leads to a prototype',
    'a tenant that may not call',
  ])
  const w = await entraWorld(t)
  for (const [what, , make] of hostile) {
    if (cheap.has(what)) await w.get(path, { authorization: `Bearer ${await make(w)}` })
  }
  t.same(w.entraCalls, [])
})

t.test('a second Authorization header is refused, though Node hides it', async t => {
  const w = await entraWorld(t)
  const token = await user({})(w)
  const socket = connect(Number(new URL(w.url).port), '127.0.0.1')
  const line = `Authorization: Bearer ${token}\r\n`
  socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}${line}\r\n`)
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk))
  await once(socket, 'close')
  const answer = Buffer.concat(chunks).toString()
  t.match(answer, /^HTTP\/1\.1 401 /)
  t.match(answer, /more than once/)
})

t.test('a missing scope is named in the challenge', async t => {
  const w = await entraWorld(t)
  const { headers, body } = await w.get(
    path,
    await w.asUser(alice, { claims: { scp: 'User.Read' } }),
  )
  t.equal(
    headers.get('www-authenticate'),
    'Bearer error="insufficient_scope", scope="access_as_user"',
  )
  t.match(body.error.message, /lacks the scope "access_as_user"/)
})

t.test('an app-only token is pointed to the service principal’s headers', async t => {
  const w = await entraWorld(t)
  const { body } = await w.get(path, await w.asUser(alice, { claims: { idtyp: 'app' } }))
  t.match(body.error.message, /x-entra-tenant-id, x-entra-client-id and x-entra-client-secret/)
})

t.test('accepted are', async t => {
  const w = await entraWorld(t, { env: { ENTRA_AUDIENCE: 'https://copilot.example' } })
  const id = environmentVariables.ENTRA_CLIENT_ID
  const now = Date.UTC(2026, 0, 5, 9) / 1000
  const accepted: [string, Parameters<EntraWorld['asUser']>[1]][] = [
    ['v2 tokens', {}],
    ['v1 tokens', { version: 'v1' }],
    ['the audience as id', { claims: { aud: id } }],
    ['the audience as URI', { claims: { aud: `api://${id}` } }],
    ['the further audience', { claims: { aud: 'https://copilot.example' } }],
    ['the scope among others', { claims: { scp: 'User.Read access_as_user' } }],
    ['an expiry 60 s ago', { claims: { exp: now - 59 } }],
    ['a start in 60 s', { claims: { nbf: now + 60 } }],
    ['a token without its client', { claims: { azp: undefined } }],
    // 400 group ids, 16 kB, then as much as the headers allow.
    ['a user in many groups', { claims: { groups: Array.from({ length: 400 }, () => other) } }],
    ['a token of 28 kB', { claims: { groups: Array.from({ length: 530 }, () => other) } }],
  ]
  for (const [what, token] of accepted) {
    const reply = await w.get(path, await w.asUser(alice, token))
    t.match(reply, { status: 404, body: { error: { code: 'SessionNotFound' } } }, what)
  }
})

t.test('the message says which of its claims is wrong', async t => {
  const w = await entraWorld(t)
  const now = Date.UTC(2026, 0, 5, 9) / 1000
  const broken = async () => {
    const [header, payload] = (await user({})(w)).split('.')
    return `${header}.${payload}.${'A'.repeat(342)}`
  }
  const messages: [string, () => Promise<string>, RegExp][] = [
    ['the audience', () => user({ aud: other })(w), /its audience is not this API/],
    ['the expiry', () => user({ exp: now - 61 })(w), /it has expired/],
    ['a start that lies ahead', () => user({ nbf: now + 61 })(w), /not valid yet.*clock/],
    ['the signature', broken, /its signature is not right/],
    ['no expiry', () => user({ exp: undefined })(w), /its claims are not those/],
  ]
  for (const [what, make, message] of messages) {
    const { body } = await w.get(path, { authorization: `Bearer ${await make()}` })
    t.match(body.error, { code: 'InvalidToken', message }, what)
  }
})

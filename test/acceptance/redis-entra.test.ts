import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import tls from 'node:tls'
import { UnsecuredJWT } from 'jose'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { connectRedis, type RedisClient, type RedisSettings } from '../../src/redis.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { redisServer } from '../helpers/redis-server.ts'

const objectId = '66666666-6666-4666-8666-666666666666'
const tenantId = '11111111-1111-4111-8111-111111111111'
const clientId = '77777777-7777-4777-8777-777777777777'

/** The endpoint of a managed identity, as App Service and Container Apps have one. */
async function identityEndpoint(t: Test, onToken: (token: string) => Promise<unknown>) {
  const asked: URLSearchParams[] = []
  let [fails, anonymous, number] = [false, false, 0]
  const tokens: string[] = []
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams)
    if (fails) {
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"error":"invalid_request","error_description":"Identity not found"}')
      return
    }
    number += 1
    const token = new UnsecuredJWT({ ...(!anonymous && { oid: objectId }), number }).encode()
    tokens.push(token)
    void onToken(token).finally(() => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          access_token: token,
          expires_on: String(Math.floor(Date.now() / 1000) + 4),
          resource: 'https://redis.azure.com',
          token_type: 'Bearer',
        }),
      )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${port}/token`
  process.env['IDENTITY_HEADER'] = 'of-this-machine'
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    delete process.env['IDENTITY_ENDPOINT']
    delete process.env['IDENTITY_HEADER']
  })
  return {
    asked,
    tokens,
    anonymous(now: boolean) {
      anonymous = now
    },
    failing(now: boolean) {
      fails = now
    },
  }
}

async function connected(t: Test, settings: RedisSettings) {
  const reasons: string[] = []
  const all = { ...settings, REDIS_AUTH: 'entra' } as const
  const redis = (await connectRedis(all, reason => reasons.push(reason))) as RedisClient
  t.teardown(() => redis.disconnect())
  return { redis, reasons }
}

/** The server lets users in by the newest token, and by no other. */
const admit = (admin: Redis, user: string, token: string): Promise<unknown> =>
  admin.acl('SETUSER', user, 'resetpass', 'on', '~*', '+@all', `>${token}`)

/** Resolves when it holds, at last after 10 s. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (await holds()) return
    await wait(100)
  }
  throw new Error('It does not hold after 10 s')
}

t.test('REDIS_AUTH=entra', async t => {
  const server = await redisServer(t)
  const admin = await server.connect()
  await admin.config('SET', 'requirepass', 'for-the-test-only')
  const identity = await identityEndpoint(t, async token => {
    for (const user of [objectId, 'someone']) await admit(admin, user, token)
  })
  const writes = (redis: RedisClient) =>
    redis.set('a', '1').then(
      () => true,
      () => false,
    )

  await t.test('tells that there is no token, and signs in once there is one', async t => {
    identity.failing(true)
    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    t.match(reasons.join(), /ManagedIdentityCredential: .*Identity not found/s)
    identity.failing(false)
    await until(() => writes(redis))
    t.match(Object.fromEntries(identity.asked[0] ?? []), { resource: 'https://redis.azure.com' })
    t.equal(await redis.call('ACL', 'WHOAMI'), objectId, 'as the user that the token names')
  })

  await t.test('renews the token on the connection that lives, before it ends', async t => {
    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    await until(() => writes(redis))
    const id = await redis.client('ID')
    const signIns = async () =>
      Number(/cmdstat_auth:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)
    const [before, tokens] = [await signIns(), identity.tokens.length]
    await until(() => identity.tokens.length >= tokens + 2)
    await until(async () => (await signIns()) > before)
    t.equal(await redis.client('ID'), id, 'the connection is the same')
    t.same(reasons, [])
  })

  await t.test('signs in with a fresh one after the server closed the connection', async t => {
    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    await until(() => writes(redis))
    const tokens = identity.tokens.length
    // Whoever is signed in as this user is put out.
    await admin.acl('DELUSER', objectId)
    await until(() => writes(redis))
    t.ok(identity.tokens.length > tokens)
    t.notOk(identity.tokens.some(token => reasons.join().includes(token)))
  })

  await t.test('asks as the identity that is named, and wants a name for a token', async t => {
    const { redis } = await connected(t, {
      REDIS_URL: server.url,
      ENTRA_MANAGED_IDENTITY_CLIENT_ID: clientId,
    })
    await until(() => writes(redis))
    t.equal(identity.asked.at(-1)?.get('client_id'), clientId)
    identity.anonymous(true)
    const { reasons } = await connected(t, {
      REDIS_URL: server.url,
      ENTRA_MANAGED_IDENTITY_CLIENT_ID: tenantId,
    })
    identity.anonymous(false)
    t.match(reasons.join(), /The token for Redis names no object: put the user into REDIS_URL/)
  })

  await t.test('takes the user of the URL, if it names one', async t => {
    const { redis } = await connected(t, { REDIS_URL: server.url.replace('//', '//someone@') })
    await until(() => writes(redis))
    t.equal(await redis.call('ACL', 'WHOAMI'), 'someone')
  })
})

t.test('REDIS_AUTH=entra in Kubernetes', async t => {
  await t.test('signs in as the workload, by the token that its file holds', async t => {
    const server = await redisServer(t)
    const admin = await server.connect()
    const certificate = await localCertificate()
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])
    const forms: URLSearchParams[] = []
    const authority = createSecureServer(
      { key: certificate.key, cert: certificate.certificate },
      (request, response) => {
        const root = `https://localhost:${port}/${tenantId}`
        const answer = (body: object) => {
          response.writeHead(200, { 'content-type': 'application/json' })
          response.end(JSON.stringify(body))
        }
        if (request.url?.includes('openid-configuration')) {
          answer({
            token_endpoint: `${root}/oauth2/v2.0/token`,
            authorization_endpoint: `${root}/oauth2/v2.0/authorize`,
            issuer: `${root}/v2.0`,
            jwks_uri: `${root}/keys`,
          })
          return
        }
        void text(request).then(body => {
          forms.push(new URLSearchParams(body))
          const token = new UnsecuredJWT({ oid: objectId }).encode()
          return admit(admin, objectId, token).then(() =>
            answer({ access_token: token, token_type: 'Bearer', expires_in: 86_400 }),
          )
        })
      },
    ).listen(0, '127.0.0.1')
    await once(authority, 'listening')
    const { port } = authority.address() as { port: number }
    t.teardown(() => {
      authority.closeAllConnections()
      authority.close()
    })
    const tokenFile = `${t.testdir()}/token`
    writeFileSync(tokenFile, 'of-the-cluster')
    const variables = {
      AZURE_FEDERATED_TOKEN_FILE: tokenFile,
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
      AZURE_AUTHORITY_HOST: `https://localhost:${port}`,
    }
    Object.assign(process.env, variables)
    t.teardown(() => {
      for (const name of Object.keys(variables)) delete process.env[name]
    })

    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    t.equal(await redis.call('ACL', 'WHOAMI'), objectId, reasons.join())
    t.match(Object.fromEntries(forms[0] ?? []), {
      scope: /https:\/\/redis\.azure\.com\/\.default/,
      client_assertion: 'of-the-cluster',
      client_id: clientId,
    })
  })
})

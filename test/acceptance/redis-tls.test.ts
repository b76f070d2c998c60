import { writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import tls from 'node:tls'
import t, { type Test } from 'tap'
import { connectRedis, type RedisClient, type RedisSettings } from '../../src/redis.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { redisServer } from '../helpers/redis-server.ts'

const certificate = await localCertificate()

async function connected(t: Test, settings: RedisSettings) {
  const reasons: string[] = []
  const redis = (await connectRedis(settings, reason => reasons.push(reason))) as RedisClient
  t.teardown(() => redis.disconnect())
  return { redis, reasons }
}

/** A Redis with TLS, and the folder of its files. */
async function secureServer(t: Test) {
  const folder = t.testdir()
  writeFileSync(`${folder}/certificate.pem`, certificate.certificate)
  writeFileSync(`${folder}/key.pem`, certificate.key)
  writeFileSync(`${folder}/authority.pem`, certificate.authority)
  const args = [
    '--tls-cert-file',
    `${folder}/certificate.pem`,
    '--tls-key-file',
    `${folder}/key.pem`,
  ]
  args.push('--tls-ca-cert-file', `${folder}/authority.pem`, '--tls-auth-clients', 'no')
  return redisServer(t, { tls: true, args })
}

t.test('rediss://', async t => {
  const server = await secureServer(t)

  await t.test('tells why a certificate is not accepted', async t => {
    const { reasons } = await connected(t, { REDIS_URL: server.url })
    await wait(500)
    t.equal(reasons.length, 1)
    t.match(reasons[0], /^SELF_SIGNED_CERT_IN_CHAIN: self-signed certificate/)
  })

  // What NODE_EXTRA_CA_CERTS does at the start of a process.
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])

  await t.test('accepts one of an authority of one’s own', async t => {
    const { redis, reasons } = await connected(t, { REDIS_URL: server.url })
    t.equal(await redis.set('a', '1'), 'OK')
    t.same(reasons, [])
  })

  await t.test('does not accept a certificate of another name', async t => {
    const { reasons } = await connected(t, {
      REDIS_URL: server.url.replace('localhost', '127.0.0.1'),
    })
    await wait(500)
    t.match(reasons[0], /^ERR_TLS_CERT_ALTNAME_INVALID: .*127\.0\.0\.1/)
  })

  await t.test('says in the handshake which server it asks for, also of a cluster', async t => {
    const names: string[] = []
    const front = tls.createServer(
      {
        key: certificate.key,
        cert: certificate.certificate,
        SNICallback(name, callback) {
          names.push(name)
          callback(null)
        },
      },
      (socket: Socket) => void socket.on('error', () => undefined).resume(),
    )
    front.listen(0, '127.0.0.1')
    await once(front, 'listening')
    const { port } = front.address() as { port: number }
    const sockets = new Set<Socket>()
    front.on('connection', socket => sockets.add(socket))
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
      front.close()
    })
    for (const mode of ['standalone', 'cluster', 'sentinel'] as const) {
      names.length = 0
      const settings = { REDIS_URL: `rediss://localhost:${port}`, REDIS_MODE: mode }
      const { redis } = await connected(t, settings)
      await wait(200)
      redis.disconnect()
      t.same([...new Set(names)], ['localhost'], mode)
    }
  })

  await t.test('comes back when the connection is cut', async t => {
    const sockets = new Set<Socket>()
    const relay = createServer(inner => {
      const outer = connect(server.port, '127.0.0.1')
      sockets.add(inner)
      for (const socket of [inner, outer]) socket.on('error', () => undefined)
      inner.pipe(outer).pipe(inner)
    })
    relay.listen(0, '127.0.0.1')
    await once(relay, 'listening')
    t.teardown(() => {
      for (const socket of sockets) socket.destroy()
      relay.close()
    })
    const { port } = relay.address() as { port: number }
    const { redis, reasons } = await connected(t, { REDIS_URL: `rediss://localhost:${port}` })
    t.equal(await redis.set('a', '1'), 'OK')
    for (const socket of sockets) socket.destroy()
    const ready = once(redis, 'ready')
    await ready
    t.equal(await redis.set('a', '1'), 'OK')
    t.match(reasons, [/closed|ECONNRESET/])
  })
})

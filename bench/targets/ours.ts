import tls from 'node:tls'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createService } from '../../src/service.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { createEntraSimulator } from '../../src/sandbox/entra/entra-simulator.ts'
import { createEntraModel } from '../../src/sandbox/entra/entra-model.ts'
import { present } from './answer.ts'

// The service as `npm start` makes it, log and all, with two users' tokens that Entra (simulated,
// in this process, asked once) issued. Arguments: Graph's URL; calls allowed and in how many
// seconds (as a rule more than is ever asked, in a second, since what the limiter remembers grows
// with them); Redis's URL if there is one.
const [graphUrl = '', allowance = '20000/1', redisUrl] = process.argv.slice(2)
const [calls, seconds] = allowance.split('/')
const tenantId = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = { clientId: '5a4db0c5-0000-4000-8000-0000000000ab', clientSecret: 'bench' }
const [alice, bob] = [
  'a11ce000-0000-4000-8000-000000000001',
  'b0b00000-0000-4000-8000-000000000002',
]

const certificate = await localCertificate()
tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])
const model = await createEntraModel({ clock, tenantId, api })
const { port } = new URL(
  await createEntraSimulator({ model, certificate }).listen({ host: '127.0.0.1', port: 0 }),
)
const authority = `https://localhost:${port}`
const config = readConfig({
  REDIS_URL: redisUrl,
  RATE_LIMIT_CALLS: calls,
  RATE_LIMIT_SECONDS: seconds,
  GRAPH_BASE_URL: `${graphUrl}/beta`,
  ENTRA_AUTHORITY: authority,
  ENTRA_TENANT_ID: tenantId,
  ENTRA_CLIENT_ID: api.clientId,
  ENTRA_CLIENT_SECRET: api.clientSecret,
})
const service = await createService(config)
const url = await service.listen({ host: '127.0.0.1', port: 0 })
const bearer = async (user: string) => `Bearer ${await model.userToken(user, {}, authority)}`
present({ url, authorization: await bearer(alice), other: await bearer(bob) })

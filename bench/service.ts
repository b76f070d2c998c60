import tls from 'node:tls'
import { systemClock as clock } from '../src/clock.ts'
import { readConfig } from '../src/config.ts'
import type { Authenticate } from '../src/connections/connection.ts'
import { createEntra } from '../src/connections/entra.ts'
import { createLog } from '../src/log.ts'
import { createService } from '../src/service.ts'
import { localCertificate } from '../src/simulator/entra/certificate.ts'
import { createEntra as createSimulatedEntra } from '../src/simulator/entra/http.ts'
import { createEntraModel } from '../src/simulator/entra/model.ts'

// A process of its own: the service twice, with authentication and without, so that the difference is its cost.
// Messages: "cpu" answers the CPU time used so far; "authenticate" measures bare authentication, in this process.
const [graphUrl = ''] = process.argv.slice(2)
const tenantId = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = { clientId: '5a4db0c5-0000-4000-8000-0000000000ab', clientSecret: 'bench' }
const user = 'a11ce000-0000-4000-8000-000000000001'

const certificate = await localCertificate()
tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])
const model = await createEntraModel({ clock, tenantId, api })
const { port } = new URL(await createSimulatedEntra({ model, certificate }).listen({ host: '127.0.0.1', port: 0 }))
const authority = `https://localhost:${port}`
const config = readConfig({
  RATE_LIMIT_CALLS: '1000000',
  GRAPH_BASE_URL: `${graphUrl}/beta`,
  ENTRA_AUTHORITY: authority,
  ENTRA_TENANT_ID: tenantId,
  ENTRA_CLIENT_ID: api.clientId,
  ENTRA_CLIENT_SECRET: api.clientSecret,
})

const { authenticate: byEntra } = createEntra({ config, clock })
const anybody = {
  key: 'bench',
  tenantId,
  retryUntil: Number.POSITIVE_INFINITY,
  graphToken: async () => 'token',
  dropGraphToken: () => undefined,
}
const listen = (authenticate: Authenticate): Promise<string> =>
  createService({ config, authenticate, clock, log: createLog('silent') }).listen({ host: '127.0.0.1', port: 0 })

const authorization = `Bearer ${await model.userToken(user, {}, authority)}`

/** CPU µs of one authentication with warm caches, with the token for Graph that a call then needs. */
async function authenticateMicros(): Promise<number> {
  const request = { rawHeaders: ['Host', 'x', 'Authorization', authorization, 'Accept', 'application/json'] } as never
  const rounds = 100_000
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round += 1) await (await byEntra(request)).graphToken()
  const { user: inUser, system } = process.cpuUsage(before)
  return (inUser + system) / rounds
}

process.on('message', message => {
  if (message === 'cpu') process.send?.({ cpu: process.cpuUsage() })
  else void authenticateMicros().then(micros => process.send?.({ micros }))
})
const spent = createService({
  config: { ...config, RATE_LIMIT_CALLS: 1, RATE_LIMIT_SECONDS: 86_400 },
  authenticate: byEntra,
  clock,
  log: createLog('silent'),
})
process.send?.({
  authenticated: await listen(byEntra),
  open: await listen(async () => anybody),
  spent: await spent.listen({ host: '127.0.0.1', port: 0 }),
  authorization,
})

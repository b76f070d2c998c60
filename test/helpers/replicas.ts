import { writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { systemClock } from '../../src/lib/clock.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { createEntraSimulator } from '../../src/sandbox/entra/entra-simulator.ts'
import { createEntraModel } from '../../src/sandbox/entra/entra-model.ts'
import { createGraphSimulator } from '../../src/sandbox/graph/graph-simulator.ts'
import { createModel } from '../../src/sandbox/graph/graph-model.ts'
import { principal, tenantId } from './entra-world.ts'
import { environmentVariables } from './environment.ts'
import { freePort } from './free-port.ts'
import { answering, runProcess, type Running } from './process.ts'
import { redisServer } from './redis-server.ts'

/** Three services as processes, `npm start`, that share Redis, Graph and Entra. */
export async function replicas(t: Test, env: Record<string, string> = {}) {
  const clock = systemClock
  const { ENTRA_CLIENT_ID: clientId, ENTRA_CLIENT_SECRET: clientSecret } = environmentVariables
  const certificate = await localCertificate()
  const entraModel = await createEntraModel({
    clock,
    tenantId,
    api: { clientId, clientSecret },
    servicePrincipals: [principal],
  })
  const entra = createEntraSimulator({ model: entraModel, certificate })
  const { port: entraPort } = new URL(await entra.listen({ host: '127.0.0.1', port: 0 }))
  const model = createModel({ clock, evaluationSeconds: 1 })
  const graph = createGraphSimulator({ model, clock, authorise: entraModel.callerOf })
  const graphUrl = await graph.listen({ host: '127.0.0.1', port: 0 })
  const redis = await redisServer(t)
  const trusted = `${t.testdir()}/authority.pem`
  writeFileSync(trusted, certificate.authority)
  t.teardown(async () => {
    for (const app of [graph, entra]) {
      app.server.closeAllConnections()
      await app.close()
    }
  })

  /** Starts a service and resolves once it is ready. */
  async function start(port: number): Promise<Replica> {
    const running = runProcess(t, 'src/server.ts', {
      ...environmentVariables,
      GRAPH_BASE_URL: `${graphUrl}/beta`,
      ENTRA_AUTHORITY: `https://localhost:${entraPort}`,
      NODE_EXTRA_CA_CERTS: trusted,
      REDIS_URL: redis.url,
      PORT: String(port),
      LOG_LEVEL: 'warn',
      ...env,
    })
    const url = `http://127.0.0.1:${port}`
    await answering(`${url}/readyz`)
    return { port, url, running }
  }
  const ports = [await freePort(), await freePort(), await freePort()]
  const services = (await Promise.all(ports.map(start))) as [Replica, Replica, Replica]
  return { model, redis, services, start }
}

/** One of them. */
export interface Replica {
  readonly port: number
  readonly url: string
  readonly running: Running
}

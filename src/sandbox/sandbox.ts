import tls from 'node:tls'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import { readConfig, type Config } from '../config.ts'
import { retryBudgetMs, type Authenticate, type Identity } from '../auth/caller.ts'
import { readCredentials } from '../auth/credentials.ts'
import { createEntra } from '../auth/entra.ts'
import { createObservability } from '../telemetry/telemetry.ts'
import { createService } from '../service.ts'
import { localCertificate } from './entra/certificate.ts'
import { createEntra as createSimulatedEntra } from './entra/entra-simulator.ts'
import { createEntraModel } from './entra/entra-model.ts'
import { connectStore } from '../redis.ts'
import { createSimulator } from './graph/graph-simulator.ts'
import { createModel } from './graph/graph-model.ts'

const loopback = { host: '127.0.0.1', port: 0 }

/**
 * The simulated tenant: this API's registration, and an app that may call as a service principal.
 */
const tenantId = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = { clientId: '5a4db0c5-0000-4000-8000-0000000000ab', clientSecret: 'sandbox-api-secret' }
const servicePrincipals = [
  { clientId: '5a4db0c5-0000-4000-8000-0000000000ac', clientSecret: 'sandbox-secret' },
]

/** The simulated tenant takes the place of every Entra variable. */
const withoutEntra = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ENTRA_')))

export interface SandboxOptions {
  /** As of `npm start`; what names Graph and Entra is replaced. */
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  createLog(level: string): FastifyBaseLogger
}

export interface Sandbox {
  readonly app: FastifyInstance
  readonly config: Config
  /** Closes the service, then what it stands on. */
  close(): Promise<void>
}

/**
 * The service on the built-in simulator of Graph and Entra, with nothing configured. It does not
 * listen yet.
 */
export async function createSandbox({ env, clock, createLog }: SandboxOptions): Promise<Sandbox> {
  const [certificate, entraModel] = await Promise.all([
    localCertificate(),
    createEntraModel({ clock, tenantId, api, servicePrincipals }),
  ])
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])

  const entra = createSimulatedEntra({ model: entraModel, certificate })
  const { port: entraPort } = new URL(await entra.listen(loopback))
  const graph = createSimulator({
    model: createModel({ clock }),
    clock,
    authorise: entraModel.callerOf,
  })
  const graphUrl = await graph.listen(loopback)

  const config = readConfig({
    ...withoutEntra(env),
    GRAPH_BASE_URL: `${graphUrl}/beta`,
    ENTRA_AUTHORITY: `https://localhost:${entraPort}`,
    ENTRA_TENANT_ID: tenantId,
    ENTRA_CLIENT_ID: api.clientId,
    ENTRA_CLIENT_SECRET: api.clientSecret,
  })
  const token = await entraModel.graphToken('sandbox')
  const sandbox = (): Identity => ({
    key: 'sandbox',
    tenantId,
    retryUntil: clock.now() + retryBudgetMs,
    graphToken: async () => token,
    dropGraphToken: () => undefined,
  })
  const observability = await createObservability(config)
  const { authenticate: byEntra, checkKeys } = createEntra({
    config,
    clock,
    observer: observability.observer,
  })
  const authenticate: Authenticate = async request =>
    readCredentials(request.rawHeaders).kind === 'none' ? sandbox() : byEntra(request)
  const log = createLog(config.LOG_LEVEL)
  const store = await connectStore(config.REDIS_URL)
  const extraHeaders = { 'x-sandbox': 'true' }
  const checks = [checkKeys]
  const app = createService({
    config,
    authenticate,
    checks,
    clock,
    log,
    store,
    extraHeaders,
    ...observability,
  })
  const close = async () => {
    await app.close()
    await observability.close()
    await graph.close()
    await entra.close()
  }
  return { app, config, close }
}

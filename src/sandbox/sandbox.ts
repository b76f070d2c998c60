import tls from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { Caller } from '../auth/caller.ts'
import { readConfig } from '../config.ts'
import { systemClock } from '../lib/clock.ts'
import { createService, type Service, type ServiceOverrides } from '../service.ts'
import { localCertificate } from './entra/certificate.ts'
import { createEntraModel } from './entra/entra-model.ts'
import { createEntraSimulator } from './entra/entra-simulator.ts'
import { createIdentityEndpoint } from './entra/identity-endpoint.ts'
import { readFacts } from './graph/facts.ts'
import { createModel } from './graph/graph-model.ts'
import { createGraphSimulator } from './graph/graph-simulator.ts'
import { watchEvaluations, type EvaluationWatchOptions } from './evaluation-watch.ts'

/** A simulated evaluation takes so long, unless its prompt or a report of facts says otherwise. */
const evaluationSeconds = 2

/** What the API's documents say first. */
const notice =
  'This is the sandbox: no AI is called, every answer is simulated, and no sign-in is needed.'

const loopback = { host: '127.0.0.1', port: 0 }

/**
 * The simulated tenant: this API's registration, and two apps that may call as service principals:
 * one has a secret, one trusts a managed identity.
 */
const tenantId = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = { clientId: '5a4db0c5-0000-4000-8000-0000000000ab', clientSecret: 'sandbox-api-secret' }
const identity = {
  clientId: '5a4db0c5-0000-4000-8000-0000000000ae',
  objectId: '5a4db0c5-0000-4000-8000-0000000000af',
}
const servicePrincipals = [
  { clientId: '5a4db0c5-0000-4000-8000-0000000000ac', clientSecret: 'sandbox-secret' },
  {
    clientId: '5a4db0c5-0000-4000-8000-0000000000ad',
    federated: [{ subject: identity.objectId }],
  },
]

/** What App Service would give as IDENTITY_HEADER. */
const identityHeader = 'sandbox-identity'

/** The simulated tenant takes the place of every Entra variable. */
const withoutEntra = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ENTRA_')))

/** The service on simulators of its own. */
export interface Sandbox {
  readonly service: Service
  /** Where the simulated managed identity gives its tokens; its query is not part of it. */
  readonly identityEndpoint: string
  /** Closes the service, then what it stands on. */
  close(): Promise<void>
}

/**
 * The service on the built-in simulator of Graph and Entra, with nothing configured: `env` is that
 * of `npm start`, but what names Graph and Entra is replaced. It does not listen yet.
 * `evaluations` hears of each evaluation that begins or ends.
 */
export async function createSandbox(
  env: NodeJS.ProcessEnv,
  overrides: ServiceOverrides = {},
  evaluations?: EvaluationWatchOptions,
): Promise<Sandbox> {
  const { clock = systemClock } = overrides
  const [certificate, entraModel] = await Promise.all([
    localCertificate(),
    createEntraModel({ clock, tenantId, api, servicePrincipals }),
  ])
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])

  const entra = createEntraSimulator({ model: entraModel, certificate })
  const { port: entraPort } = new URL(await entra.listen(loopback))
  const authority = `https://localhost:${entraPort}`
  const identities = createIdentityEndpoint({
    model: entraModel,
    identities: [identity],
    secret: identityHeader,
    authority,
  })
  const identityEndpoint = `${await identities.listen(loopback)}/msi/token`
  const facts = env['SIMULATOR_FACTS'] ? readFacts(env['SIMULATOR_FACTS']) : undefined
  const bare = createModel({ clock, evaluationSeconds, ...facts?.model })
  const model = evaluations ? watchEvaluations(bare, evaluations) : bare
  const graph = createGraphSimulator({
    model,
    clock,
    authorise: entraModel.callerOf,
    ...facts?.simulator,
  })
  const graphUrl = await graph.listen(loopback)

  const config = readConfig({
    ...withoutEntra(env),
    GRAPH_BASE_URL: `${graphUrl}/beta`,
    PROMPTBOOKS_PATH:
      env['PROMPTBOOKS_PATH'] || fileURLToPath(new URL('promptbooks', import.meta.url)),
    ENTRA_AUTHORITY: authority,
    ENTRA_TENANT_ID: tenantId,
    ENTRA_CLIENT_ID: api.clientId,
    ENTRA_CLIENT_SECRET: api.clientSecret,
  })
  const token = await entraModel.graphToken('sandbox')
  const anonymous: Caller = {
    key: 'sandbox',
    identityKey: 'sandbox',
    type: 'Default',
    identityId: 'sandbox',
    tenantId,
    graphToken: async () => token,
    dropGraphToken: () => undefined,
  }
  const service = await createService(config, {
    ...overrides,
    clock,
    anonymous,
    notice,
    extraHeaders: { 'x-sandbox': 'true' },
  })
  service.app.log.info({ identityEndpoint }, 'sandbox: a managed identity is simulated')
  return {
    service,
    identityEndpoint,
    async close() {
      await service.close()
      await graph.close()
      await identities.close()
      await entra.close()
    },
  }
}

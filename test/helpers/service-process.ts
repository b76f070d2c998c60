import { writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { createEntraModel } from '../../src/sandbox/entra/entra-model.ts'
import { createEntraSimulator } from '../../src/sandbox/entra/entra-simulator.ts'
import { createModel, type Model } from '../../src/sandbox/graph/graph-model.ts'
import { createGraphSimulator } from '../../src/sandbox/graph/graph-simulator.ts'
import { environmentVariables } from './environment.ts'
import { freePort } from './free-port.ts'
import { answering, runProcess, type Running } from './process.ts'
import { request, type Reply } from './world.ts'

export interface ServiceProcessOptions {
  readonly env?: Record<string, string>
  /** Awaited before Graph looks at a call. */
  readonly beforeGraph?: (method: string, url: string) => Promise<unknown>
  /** Hears of every call that Graph was asked for. */
  readonly onGraphCall?: (operation: string) => void
}

export interface ServiceProcess {
  readonly url: string
  readonly model: Model
  readonly running: Running
  /** Starts another replica on the same Graph and Entra. */
  another(env?: Record<string, string>): Promise<{ url: string; running: Running }>
  /** Headers of a user's call. */
  as(user: string): Promise<Record<string, string>>
}

/** Object ids of two users. */
export const alice = 'a11ce000-0000-4000-8000-000000000001'
export const bob = 'b0b00000-0000-4000-8000-000000000002'

/** A service as `npm start` runs it, in a process of its own, on simulators in this one. */
export async function serviceProcess(
  t: Test,
  { env = {}, beforeGraph, onGraphCall }: ServiceProcessOptions = {},
): Promise<ServiceProcess> {
  const {
    ENTRA_TENANT_ID: tenantId,
    ENTRA_CLIENT_ID: clientId,
    ENTRA_CLIENT_SECRET: clientSecret,
  } = environmentVariables
  const certificate = await localCertificate()
  const entraModel = await createEntraModel({ clock, tenantId, api: { clientId, clientSecret } })
  const entra = createEntraSimulator({ model: entraModel, certificate })
  const { port: entraPort } = new URL(await entra.listen({ host: '127.0.0.1', port: 0 }))
  const authority = `https://localhost:${entraPort}`
  const model = createModel({ clock, evaluationSeconds: 1 })
  const graph = createGraphSimulator({
    model,
    clock,
    authorise: entraModel.callerOf,
    ...(onGraphCall && { onCall: onGraphCall }),
  })
  graph.addHook('onRequest', async ({ method, url }) => {
    await beforeGraph?.(method, url)
  })
  const graphUrl = await graph.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    for (const app of [graph, entra]) {
      app.server.closeAllConnections()
      await app.close()
    }
  })
  const trusted = `${t.testdir()}/authority.pem`
  writeFileSync(trusted, certificate.authority)

  async function another(more: Record<string, string> = {}) {
    const port = await freePort()
    const running = runProcess(t, 'src/server.ts', {
      ...environmentVariables,
      GRAPH_BASE_URL: `${graphUrl}/beta`,
      ENTRA_AUTHORITY: authority,
      NODE_EXTRA_CA_CERTS: trusted,
      PORT: String(port),
      LOG_LEVEL: 'error',
      ...env,
      ...more,
    })
    const url = `http://127.0.0.1:${port}`
    await answering(`${url}/livez`)
    return { url, running }
  }

  return {
    ...(await another()),
    model,
    another,
    as: async user => ({
      authorization: `Bearer ${await entraModel.userToken(user, {}, authority)}`,
      'content-type': 'application/json',
    }),
  }
}

/** `POST /process-prompt` of a process. */
export const submitTo = (url: string, headers: object, content: string): Promise<Reply> =>
  request(`${url}/process-prompt`, {
    method: 'POST',
    headers: { ...headers },
    body: JSON.stringify({ PromptContent: content }),
  })

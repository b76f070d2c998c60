import tls from 'node:tls'
import type { Test } from 'tap'
import { localCertificate } from '../../src/sandbox/entra/certificate.ts'
import { createEntraSimulator } from '../../src/sandbox/entra/entra-simulator.ts'
import {
  createEntraModel,
  type EntraModel,
  type UserToken,
} from '../../src/sandbox/entra/entra-model.ts'
import type { FederatedCredential } from '../../src/sandbox/entra/federation.ts'
import { leapingClock } from './leaping-clock.ts'
import { environmentVariables } from './environment.ts'
import { world, type World, type WorldOptions } from './world.ts'

export interface EntraWorldOptions extends WorldOptions {
  /** PEM of a certificate that Entra knows this API by. */
  readonly apiCertificate?: string
  /** Identities that this API's registration trusts. */
  readonly apiFederated?: readonly FederatedCredential[]
}

export interface EntraWorld extends World {
  readonly entra: EntraModel
  /** What Entra was asked for, in order: discovery, keys, onBehalfOf, clientCredentials. */
  readonly entraCalls: string[]
  readonly authority: string
  /** How Entra fails from now on; `undefined` when it works. */
  outage: 'refuses' | 'stalls' | undefined
  /** The headers of a call by the app that trusts `identity`, with its token. */
  asIdentity(claims?: Record<string, unknown>, header?: object): Promise<Record<string, string>>
  /** The headers of a user's call. */
  asUser(objectId: string, token?: UserToken): Promise<Record<string, string>>
}

export const tenantId = environmentVariables.ENTRA_TENANT_ID
export const principal = {
  clientId: '44444444-4444-4444-8444-444444444444',
  clientSecret: 'a-secret-of-the-app',
}

/** A managed identity, and the app that trusts it. */
export const identity = {
  clientId: '66666666-6666-4666-8666-666666666666',
  objectId: '77777777-7777-4777-8777-777777777777',
}
export const trusting = {
  clientId: '88888888-8888-4888-8888-888888888888',
  clientSecret: 'another-secret-of-an-app',
  federated: [{ subject: identity.objectId }],
}

/** The headers of a service principal's call. */
export const asPrincipal = (clientSecret = principal.clientSecret): Record<string, string> => ({
  'x-entra-tenant-id': tenantId,
  'x-entra-client-id': principal.clientId,
  'x-entra-client-secret': clientSecret,
})

/** One certificate for all worlds of this process: making one takes a moment. */
const certificate = await localCertificate()
tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.authority])

/**
 * A service that authenticates by an Entra of its own, over real TLS and with the real
 * @azure/identity.
 */
export async function entraWorld(t: Test, options: EntraWorldOptions = {}): Promise<EntraWorld> {
  const clock = leapingClock()
  const entraCalls: string[] = []
  const entra = await createEntraModel({
    clock,
    tenantId,
    api: {
      clientId: environmentVariables.ENTRA_CLIENT_ID,
      clientSecret: environmentVariables.ENTRA_CLIENT_SECRET,
      certificate: options.apiCertificate,
      federated: options.apiFederated,
    },
    servicePrincipals: [principal, trusting],
  })
  const http = createEntraSimulator({
    model: entra,
    certificate,
    onCall: what => entraCalls.push(what),
  })
  const state: { outage: EntraWorld['outage'] } = { outage: undefined }
  http.addHook('onRequest', async (request, reply) => {
    if (state.outage === undefined) return undefined
    if (state.outage === 'refuses')
      return reply.code(503).send({ error: 'temporarily_unavailable' })
    request.raw.on('close', () => undefined)
    return new Promise(() => undefined)
  })
  const { port } = new URL(await http.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(() => {
    http.server.closeAllConnections()
    return http.close()
  })
  const authority = `https://localhost:${port}`
  const served = await world(t, {
    ...options,
    clock,
    env: { ...options.env, ENTRA_AUTHORITY: authority },
    authenticate: 'entra',
    simulator: { authorise: entra.callerOf, ...options.simulator },
  })
  return Object.assign(state, served, {
    entra,
    entraCalls,
    authority,
    asIdentity: async (claims: Record<string, unknown> = {}, header: object = {}) => ({
      authorization: `Bearer ${await entra.identityToken(identity, authority, claims, header)}`,
      'x-entra-tenant-id': tenantId,
      'x-entra-client-id': trusting.clientId,
    }),
    asUser: async (objectId: string, token: UserToken = {}) => ({
      authorization: `Bearer ${await entra.userToken(objectId, token, authority)}`,
    }),
  })
}

import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { EntraModel } from './entra-model.ts'
import type { ManagedIdentity } from './federation.ts'

export interface IdentityEndpointOptions {
  readonly model: EntraModel
  readonly identities: readonly ManagedIdentity[]
  /** What App Service gives as IDENTITY_HEADER. */
  readonly secret: string
  /** Root of Entra, as the tokens' issuer. */
  readonly authority: string
  /** Claims to add or replace; `undefined` leaves one out. */
  claims?(): Readonly<Record<string, unknown>>
  /** Hears of every call. */
  onCall?(): void
}

/**
 * The local endpoint that a managed identity's tokens come from, in the shape of App Service
 * (`IDENTITY_ENDPOINT`) and of a virtual machine (IMDS).
 */
export function createIdentityEndpoint({
  model,
  identities,
  secret,
  authority,
  claims = () => ({}),
  onCall,
}: IdentityEndpointOptions): FastifyInstance {
  const app = Fastify({ routerOptions: { ignoreTrailingSlash: true } })

  async function token({ query }: FastifyRequest) {
    onCall?.()
    const { resource, client_id: clientId } = query as Readonly<Record<string, string>>
    const identity = identities.find(one => clientId === undefined || one.clientId === clientId)
    if (!identity) return undefined
    const accessToken = await model.identityToken(identity, authority, claims())
    return {
      access_token: accessToken,
      // By the machine's clock, as the callers' library reads it.
      expires_on: String(Math.floor(Date.now() / 1000) + 86_400),
      resource,
      token_type: 'Bearer',
      client_id: identity.clientId,
    }
  }

  app.get('/msi/token', async (request, reply) => {
    if (request.headers['x-identity-header'] !== secret)
      return reply.code(401).send({ statusCode: 401, message: 'No such identity header' })
    const answer = await token(request)
    return answer ?? reply.code(400).send({ statusCode: 400, message: 'No such identity' })
  })
  app.get('/metadata/identity/oauth2/token', async (request, reply) => {
    if (request.headers['metadata'] !== 'true')
      return reply.code(400).send({ error: 'bad_request_102', error_description: 'No Metadata' })
    const answer = await token(request)
    return answer ?? reply.code(400).send({ error: 'invalid_request', error_description: 'None' })
  })
  return app
}

import Fastify, { type FastifyInstance } from 'fastify'
import type { EntraModel } from './entra-model.ts'
import type { LocalCertificate } from './certificate.ts'
import { TokenError, tokenError } from './token-error.ts'

export interface EntraHttpOptions {
  readonly model: EntraModel
  readonly certificate: LocalCertificate
  /** Hears of every call: discovery, keys or the grant. */
  onCall?(what: string): void
}

const assertionGrant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

/**
 * Entra's HTTP over the model, by TLS: discovery, keys and the token endpoint, for both token
 * versions.
 */
export function createEntraSimulator({
  model,
  certificate,
  onCall,
}: EntraHttpOptions): FastifyInstance {
  const app = Fastify({
    https: { key: certificate.key, cert: certificate.certificate },
  }) as unknown as FastifyInstance

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, Object.fromEntries(new URLSearchParams(String(body))))
    },
  )
  app.setErrorHandler((error, _request, reply) => {
    const known =
      error instanceof TokenError
        ? error
        : tokenError('temporarily_unavailable', 90033, 'Transient.', {}, 500)
    return reply.code(known.status).send(known.body)
  })
  app.addHook('onRequest', async request => {
    const tenant = (request.params as { tenant?: string }).tenant
    if (tenant !== model.tenantId)
      throw tokenError('invalid_tenant', 90002, `Tenant '${tenant}' not found.`)
  })

  for (const version of ['', '/v2.0']) {
    app.get(`/:tenant${version}/.well-known/openid-configuration`, async ({ protocol, host }) => {
      onCall?.('discovery')
      const root = `${protocol}://${host}/${model.tenantId}`
      return {
        issuer: version ? `${root}/v2.0` : `https://sts.windows.net/${model.tenantId}/`,
        authorization_endpoint: `${root}/oauth2${version}/authorize`,
        token_endpoint: `${root}/oauth2${version}/token`,
        jwks_uri: `${root}/discovery${version}/keys`,
      }
    })
    app.get(`/:tenant/discovery${version}/keys`, async () => {
      onCall?.('keys')
      return { keys: model.publicKeys() }
    })
  }

  app.post('/:tenant/oauth2/v2.0/token', async request => {
    const form = request.body as Readonly<Record<string, string>>
    const client = {
      clientId: form['client_id'] ?? '',
      clientSecret: form['client_secret'] ?? '',
      clientAssertion: form['client_assertion'],
    }
    onCall?.(form['grant_type'] === assertionGrant ? 'onBehalfOf' : 'clientCredentials')
    const token =
      form['grant_type'] === assertionGrant
        ? await model.onBehalfOf(client, form['assertion'] ?? '')
        : await model.clientCredentials(client)
    const { lifetimeSeconds } = model
    return {
      token_type: 'Bearer',
      expires_in: lifetimeSeconds,
      ext_expires_in: lifetimeSeconds,
      access_token: token,
    }
  })
  return app
}

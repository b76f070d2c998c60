import { ConnectorError } from '../errors.ts'
import type { Authenticate, Caller } from './caller.ts'
import {
  authenticationRequired,
  invalidClientCredentials,
  readCredentials,
  type ServicePrincipal,
} from './credentials.ts'
import type { TokenExchange } from './token-exchange.ts'
import type { TokenCache } from './token-cache.ts'
import type { SignInLimit } from './sign-in-limit.ts'
import { hashOf } from '../lib/hash.ts'
import type { VerifyBearer } from './verify-token.ts'

export interface AuthenticateOptions {
  readonly verify: VerifyBearer
  readonly exchange: TokenExchange
  /** Tokens of users, and those of apps: what the one kind does takes nothing of the other's. */
  readonly tokens: { readonly users: TokenCache; readonly apps: TokenCache }
  /** What strangers may ask of Entra. */
  readonly signIns: SignInLimit
  readonly allowedTenants: readonly string[]
  /** This API's client id, which no caller may use as its own. */
  readonly ownClientId: string
  /** Who a call without credentials is taken for. @default it is refused */
  readonly anonymous?: Caller | undefined
}

/**
 * Finds out who calls: verifies a bearer token, or proves a service principal by getting its token
 * for Graph. A user's token for Graph is got when Graph is first called, so that a request that is
 * wrong in itself costs Entra nothing.
 */
export function createAuthenticate({
  verify,
  exchange,
  tokens: { users, apps },
  signIns,
  allowedTenants,
  ownClientId,
  anonymous,
}: AuthenticateOptions): Authenticate {
  const allowed = new Set(allowedTenants.map(tenant => tenant.toLowerCase()))

  async function asUser(assertion: string): Promise<Caller> {
    const { partition, ...user } = await verify(assertion)
    return {
      ...user,
      type: 'Oauth',
      graphToken: () => users.get(partition, () => exchange.onBehalfOf(user.tenantId, assertion)),
      dropGraphToken: () => users.drop(partition),
    }
  }

  async function asServicePrincipal(principal: ServicePrincipal): Promise<Caller> {
    const { tenantId, clientId, clientSecret } = principal
    if (!allowed.has(tenantId)) {
      throw new ConnectorError(
        'TenantNotAllowed',
        'Cannot accept the service principal: its tenant may not call this service',
      )
    }
    if (clientId === ownClientId.toLowerCase()) {
      throw invalidClientCredentials('its client id is this API’s own')
    }
    const key = hashOf('servicePrincipal', tenantId, clientId)
    // By its secret as well: a wrong one never meets the entry of a right one.
    const partition = `${key} ${hashOf(clientSecret)}`
    const graphToken = () =>
      apps.get(partition, () =>
        signIns.run(key, partition, () => exchange.asServicePrincipal(principal)),
      )
    await graphToken()
    return {
      key,
      // An app has no further app between.
      identityKey: key,
      type: 'OauthServicePrincipal',
      identityId: clientId,
      tenantId,
      graphToken,
      dropGraphToken: () => apps.drop(partition),
    }
  }

  return async ({ rawHeaders }) => {
    const credentials = readCredentials(rawHeaders)
    if (credentials.kind === 'bearer') return asUser(credentials.token)
    if (credentials.kind === 'servicePrincipal') return asServicePrincipal(credentials.principal)
    if (anonymous) return anonymous
    throw authenticationRequired()
  }
}

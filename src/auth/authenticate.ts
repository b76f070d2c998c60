import { ConnectorError } from '../errors.ts'
import type { AccessToken } from '@azure/identity'
import type { Clock } from '../lib/clock.ts'
import type { Authenticate, Caller, ConnectionType } from './caller.ts'
import {
  authenticationRequired,
  invalidClientCredentials,
  readCredentials,
  type AssertingApp,
  type ServicePrincipal,
} from './credentials.ts'
import type { TokenExchange } from './token-exchange.ts'
import type { TokenCache } from './token-cache.ts'
import type { SignInLimit } from './sign-in-limit.ts'
import { hashOf } from '../lib/hash.ts'
import type { VerifyAssertion } from './verify-assertion.ts'
import type { VerifyBearer } from './verify-token.ts'

export interface AuthenticateOptions {
  readonly verify: VerifyBearer
  readonly verifyAssertion: VerifyAssertion
  readonly exchange: TokenExchange
  /** Tokens of users, and those of apps: what the one kind does takes nothing of the other's. */
  readonly tokens: { readonly users: TokenCache; readonly apps: TokenCache }
  /**
   * What strangers may ask of Entra. Guessed secrets take nothing of what a verified assertion may.
   */
  readonly signIns: { readonly bySecret: SignInLimit; readonly byAssertion: SignInLimit }
  readonly clock: Clock
  readonly allowedTenants: readonly string[]
  /** This API's client id, which no caller may use as its own. */
  readonly ownClientId: string
  /** Who a call without credentials is taken for. @default it is refused */
  readonly anonymous?: Caller | undefined
}

/** An app and how its token is got. */
interface ProvedApp {
  readonly type: ConnectionType
  readonly app: Omit<AssertingApp, 'assertion'>
  readonly key: string
  readonly partition: string
  readonly obtain: () => Promise<AccessToken>
}

/**
 * Finds out who calls: verifies a bearer token, or proves an app by getting its token for Graph. A
 * user's token for Graph is got when Graph is first called, so that a request that is wrong in
 * itself costs Entra nothing.
 */
export function createAuthenticate({
  verify,
  verifyAssertion,
  exchange,
  tokens: { users, apps },
  signIns,
  clock,
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

  /** The key of an app's connection, however it is proved. */
  function appKey({ tenantId, clientId }: Omit<AssertingApp, 'assertion'>): string {
    if (!allowed.has(tenantId)) {
      throw new ConnectorError(
        'TenantNotAllowed',
        'Cannot accept the service principal: its tenant may not call this service',
      )
    }
    if (clientId === ownClientId.toLowerCase())
      throw invalidClientCredentials('its client id is this API’s own')
    return hashOf('servicePrincipal', tenantId, clientId)
  }

  /** An app, once it is proved by getting its token. */
  async function asApp({ type, app, key, partition, obtain }: ProvedApp): Promise<Caller> {
    const graphToken = () => apps.get(partition, obtain)
    await graphToken()
    return {
      key,
      // An app has no further app between.
      identityKey: key,
      type,
      identityId: app.clientId,
      tenantId: app.tenantId,
      graphToken,
      dropGraphToken: () => apps.drop(partition),
    }
  }

  function asServicePrincipal(app: ServicePrincipal): Promise<Caller> {
    const key = appKey(app)
    // By its secret as well: a wrong one never meets the entry of a right one.
    const partition = `${key} ${hashOf(app.clientSecret)}`
    const obtain = () =>
      signIns.bySecret.run(key, partition, () => exchange.asServicePrincipal(app))
    return asApp({ type: 'OauthServicePrincipal', app, key, partition, obtain })
  }

  async function byAssertion(app: AssertingApp): Promise<Caller> {
    const key = appKey(app)
    const { identityKey, tokenHash, expiresAt } = await verifyAssertion(app.assertion)
    async function obtain(): Promise<AccessToken> {
      const token = await exchange.byAssertion(app)
      // Not used past the assertion's own end. Its timestamp is by the machine's clock.
      const endsAt = Date.now() + expiresAt - clock.now()
      return { ...token, expiresOnTimestamp: Math.min(token.expiresOnTimestamp, endsAt) }
    }
    return asApp({
      type: 'OauthClientAssertion',
      app,
      key,
      partition: `${key} ${tokenHash}`,
      obtain: () => signIns.byAssertion.run(key, `${key} ${identityKey}`, obtain),
    })
  }

  return async ({ rawHeaders }) => {
    const credentials = readCredentials(rawHeaders)
    if (credentials.kind === 'bearer') return asUser(credentials.token)
    if (credentials.kind === 'servicePrincipal') return asServicePrincipal(credentials.principal)
    if (credentials.kind === 'clientAssertion') return byAssertion(credentials.app)
    if (anonymous) return anonymous
    throw authenticationRequired()
  }
}

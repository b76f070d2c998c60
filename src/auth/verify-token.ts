import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'
import { invalidToken } from './credentials.ts'
import { hashOf } from '../lib/hash.ts'
import type { Claims, ReadToken } from './token-reader.ts'
import { rememberVerified } from './verified-tokens.ts'

/** A user that a verified token stands for, by way of the app it signed in to. */
export interface VerifiedUser {
  readonly tenantId: string
  /** Names tenant, user and client app: the connection's key. */
  readonly key: string
  /** Names tenant and user, whatever the client app. */
  readonly identityKey: string
  /** The user's object id, in lower case. */
  readonly identityId: string
  /**
   * Names the connection and this very token: what is obtained for one token is not given for
   * another.
   */
  readonly partition: string
}

/**
 * Verifies a bearer token and says whose it is.
 * @throws ConnectorError `InvalidToken`, `TenantNotAllowed`, `ScopeMissing`,
 *   `AppOnlyTokenNotSupported`, `EntraUnavailable`
 */
export type VerifyBearer = (token: string) => Promise<VerifiedUser>

export interface VerifierOptions {
  readonly read: ReadToken
  readonly clock: Clock
  readonly audiences: readonly string[]
  readonly scope: string
}

/**
 * Whether a token stands for an app alone. `idtyp` says so where it is configured; else such a
 * token names its client and has no scopes but roles, or the app's own object as its subject
 * (learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
 */
const isAppOnly = ({ idtyp, scp, azp, appid, roles, sub, oid }: Claims): boolean =>
  idtyp === 'app' ||
  (scp === undefined &&
    (azp ?? appid) !== undefined &&
    (roles !== undefined || (sub !== undefined && sub === oid)))

function requireScope(token: Claims, scope: string): void {
  if (isAppOnly(token)) {
    throw new ConnectorError(
      'AppOnlyTokenNotSupported',
      'Cannot accept the bearer token: it stands for an app; send x-entra-tenant-id, x-entra-client-id and x-entra-client-secret, or with the first two a token for api://AzureADTokenExchange',
    )
  }
  if (token.scp?.split(' ').includes(scope)) return
  throw new ConnectorError(
    'ScopeMissing',
    `Cannot accept the bearer token: it lacks the scope "${scope}"`,
    {
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
    },
  )
}

export const createVerifier = ({ read, clock, audiences, scope }: VerifierOptions): VerifyBearer =>
  rememberVerified(clock, async (token, tokenHash) => {
    const claims = await read(token, audiences)
    requireScope(claims, scope)
    const { tid, oid, azp, appid, exp } = claims
    if (oid === undefined) throw invalidToken('it does not name its user')
    const tenantId = tid.toLowerCase()
    const identityId = oid.toLowerCase()
    const key = hashOf('user', tenantId, identityId, (azp ?? appid ?? '').toLowerCase())
    const identityKey = hashOf('user', tenantId, identityId)
    const result = { tenantId, key, identityKey, identityId, partition: `${key} ${tokenHash}` }
    return { result, exp }
  })

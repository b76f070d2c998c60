import { errors, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { cacheClock } from '../lib/cache-clock.ts'
import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'
import { readClaimedOrigin } from './token-origin.ts'
import { invalidToken } from './credentials.ts'
import { hashOf } from '../lib/hash.ts'
import type { FindSigningKey } from './signing-keys.ts'

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
  readonly findKey: FindSigningKey
  readonly clock: Clock
  readonly authority: string
  readonly allowedTenants: readonly string[]
  readonly audiences: readonly string[]
  readonly scope: string
}

const skewSeconds = 60

/** Verified tokens remembered; an entry is a hash and three ids. */
const maxVerified = 10_000

const text = z.string().optional()
const claims = z.object({
  tid: z.guid(),
  oid: z.guid().optional(),
  sub: text,
  aud: z.string(),
  exp: z.number(),
  scp: text,
  idtyp: text,
  azp: text,
  appid: text,
  roles: z.array(z.string()).optional(),
})
type Claims = z.output<typeof claims>

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
      'Cannot accept the bearer token: it stands for an app; send x-entra-tenant-id, x-entra-client-id and x-entra-client-secret instead',
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

/** What is wrong with a token, by what jose threw. */
function whyRefused(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is not right'
  if (error instanceof errors.JWTExpired) return 'it has expired, get a new one'
  if (error instanceof errors.JWTClaimValidationFailed && error.reason === 'check_failed') {
    if (error.claim === 'aud') return 'its audience is not this API, get a token for this one'
    if (error.claim === 'nbf')
      return 'it is not valid yet, or the clock of this service and that of Entra differ'
  }
  return 'its claims are not those of an Entra access token'
}

export function createVerifier({
  findKey,
  clock,
  authority,
  allowedTenants,
  audiences,
  scope,
}: VerifierOptions): VerifyBearer {
  const verified = new LRUCache<string, VerifiedUser>({
    max: maxVerified,
    ttl: 1,
    ttlResolution: 0,
    perf: cacheClock(clock),
  })

  /** Signature, issuer, audience and times, by jose; then the claims by their types. */
  async function readClaims(token: string): Promise<Claims> {
    const origin = readClaimedOrigin(token, authority, allowedTenants)
    const key = await findKey(origin)
    if (!key) throw invalidToken('Entra publishes no such signing key')
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['RS256'],
        issuer: origin.issuer,
        audience: [...audiences],
        clockTolerance: skewSeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp'],
      })
      return claims.parse(payload)
    } catch (error) {
      throw invalidToken(whyRefused(error))
    }
  }

  return async token => {
    // Hashed, so that no token stays in memory.
    const tokenHash = hashOf(token)
    const known = verified.get(tokenHash)
    if (known) return known
    const verifiedClaims = await readClaims(token)
    requireScope(verifiedClaims, scope)
    const { tid, oid, azp, appid, exp } = verifiedClaims
    if (oid === undefined) throw invalidToken('it does not name its user')
    const tenantId = tid.toLowerCase()
    const identityId = oid.toLowerCase()
    const key = hashOf('user', tenantId, identityId, (azp ?? appid ?? '').toLowerCase())
    const identityKey = hashOf('user', tenantId, identityId)
    const user = { tenantId, key, identityKey, identityId, partition: `${key} ${tokenHash}` }
    const ttl = exp * 1000 - clock.now()
    if (ttl > 0) verified.set(tokenHash, user, { ttl })
    return user
  }
}

import { errors, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { invalidToken } from './credentials.ts'
import type { FindSigningKey } from './signing-keys.ts'
import { readClaimedOrigin } from './token-origin.ts'

export interface TokenReaderOptions {
  readonly findKey: FindSigningKey
  readonly clock: Clock
  readonly authority: string
  readonly allowedTenants: readonly string[]
}

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
  xms_ficinfo: z.unknown().optional(),
})

/** What a verified token of Entra says. */
export type Claims = z.output<typeof claims>

/**
 * Verifies signature, issuer, audience and times of a token, and reads its claims by their types.
 * @throws ConnectorError `InvalidToken`, `TenantNotAllowed`, `EntraUnavailable`
 */
export type ReadToken = (token: string, audiences: readonly string[]) => Promise<Claims>

const skewSeconds = 60

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

export function createTokenReader({
  findKey,
  clock,
  authority,
  allowedTenants,
}: TokenReaderOptions): ReadToken {
  return async (token, audiences) => {
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
}

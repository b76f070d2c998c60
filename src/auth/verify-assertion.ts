import type { Clock } from '../lib/clock.ts'
import { hashOf } from '../lib/hash.ts'
import { invalidToken } from './credentials.ts'
import { exchangeAudiences } from './exchange-audience.ts'
import type { ReadToken } from './token-reader.ts'
import { rememberVerified } from './verified-tokens.ts'

/** An identity whose verified token an app is proved by. */
export interface VerifiedAssertion {
  /** Names tenant and identity. */
  readonly identityKey: string
  /** Names this very token. */
  readonly tokenHash: string
  /** When the token ends, in ms since 1970. */
  readonly expiresAt: number
}

/**
 * Verifies a managed identity's token as a user's is, but for audience and scope: it is a
 * credential of every app that trusts the identity.
 * @throws ConnectorError `InvalidToken`, `TenantNotAllowed`, `EntraUnavailable`
 */
export type VerifyAssertion = (token: string) => Promise<VerifiedAssertion>

export const createAssertionVerifier = (read: ReadToken, clock: Clock): VerifyAssertion =>
  rememberVerified(clock, async (token, tokenHash) => {
    const { tid, oid, exp, xms_ficinfo: federation } = await read(token, exchangeAudiences)
    if (federation !== undefined) {
      throw invalidToken(
        'it came by federation itself and Entra takes no such token, send the one that it was got with',
      )
    }
    if (oid === undefined) throw invalidToken('it does not name its identity')
    const identityKey = hashOf('identity', tid.toLowerCase(), oid.toLowerCase())
    return { result: { identityKey, tokenHash, expiresAt: exp * 1000 }, exp }
  })

import { LRUCache } from 'lru-cache'
import { cacheClock } from '../lib/cache-clock.ts'
import type { Clock } from '../lib/clock.ts'
import { hashOf } from '../lib/hash.ts'
import { invalidToken } from './credentials.ts'
import { exchangeAudiences } from './exchange-audience.ts'
import type { ReadToken } from './token-reader.ts'

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

/** Verified tokens remembered; an entry is two hashes and a number. */
const maxVerified = 10_000

export function createAssertionVerifier(read: ReadToken, clock: Clock): VerifyAssertion {
  const verified = new LRUCache<string, VerifiedAssertion>({
    max: maxVerified,
    ttl: 1,
    ttlResolution: 0,
    perf: cacheClock(clock),
  })

  return async token => {
    // Hashed, so that no token stays in memory.
    const tokenHash = hashOf(token)
    const known = verified.get(tokenHash)
    if (known) return known
    const { tid, oid, exp, xms_ficinfo: federation } = await read(token, exchangeAudiences)
    if (federation !== undefined) {
      throw invalidToken(
        'it came by federation itself and Entra takes no such token, send the one that it was got with',
      )
    }
    if (oid === undefined) throw invalidToken('it does not name its identity')
    const identityKey = hashOf('identity', tid.toLowerCase(), oid.toLowerCase())
    const assertion = { identityKey, tokenHash, expiresAt: exp * 1000 }
    const ttl = assertion.expiresAt - clock.now()
    if (ttl > 0) verified.set(tokenHash, assertion, { ttl })
    return assertion
  }
}

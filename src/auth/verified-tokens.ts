import { LRUCache } from 'lru-cache'
import { cacheClock } from '../lib/cache-clock.ts'
import type { Clock } from '../lib/clock.ts'
import { hashOf } from '../lib/hash.ts'

/** Verified tokens remembered; an entry is a few hashes and ids. */
const maxVerified = 10_000

/** What a verified token says, and when the token ends, in s since 1970. */
export interface Verified<Result> {
  readonly result: Result
  readonly exp: number
}

/**
 * Verifies each token once and remembers what it says until it ends. `verify` also gets the token's
 * hash. Throws what `verify` throws; that is not remembered.
 */
export function rememberVerified<Result extends object>(
  clock: Clock,
  verify: (token: string, tokenHash: string) => Promise<Verified<Result>>,
): (token: string) => Promise<Result> {
  const verified = new LRUCache<string, Result>({
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
    const { result, exp } = await verify(token, tokenHash)
    const ttl = exp * 1000 - clock.now()
    if (ttl > 0) verified.set(tokenHash, result, { ttl })
    return result
  }
}

import { readFileSync } from 'node:fs'
import type { Config } from './config.ts'
import type { RedisFailures } from './redis-failures.ts'
import type { RedisToken } from './redis-token.ts'
import { parseRedisUrls, type RedisAddress } from './redis-urls.ts'

/** The settings that say where Redis is, and how to sign in there. */
export type RedisSettings = Pick<Config, 'REDIS_URL'> &
  Partial<Pick<Config, 'REDIS_URL_FILE' | 'REDIS_MODE' | 'REDIS_SENTINEL_NAME' | 'REDIS_AUTH'>> & {
    /** For `REDIS_AUTH=entra`, by an identity that is not the system's own. */
    readonly ENTRA_MANAGED_IDENTITY_CLIENT_ID?: string | undefined
  }

/** Where Redis is and how to sign in there, as it is at this moment; one address at least. */
export interface RedisTarget {
  addresses(): readonly RedisAddress[]
  /** A connection was lost: whatever can be known anew is asked for. */
  lost(): void
}

/**
 * What the URLs say; a file is read anew whenever a connection was lost.
 * @throws Error when they say nothing that can be used, at first
 */
export function urlTarget(settings: RedisSettings, failures: RedisFailures): RedisTarget {
  const { REDIS_URL: url = '', REDIS_URL_FILE: file } = settings
  function read(): RedisAddress[] {
    const found = parseRedisUrls(file === undefined ? url : readFileSync(file, 'utf8'))
    for (const { password } of found) failures.hide(password)
    return found
  }
  let known = read()
  return {
    addresses: () => known,
    lost() {
      if (file === undefined) return
      try {
        known = read()
      } catch (error) {
        // It was good at the start: what it said then is tried on.
        failures.report(new Error(`REDIS_URL_FILE: ${(error as Error).message}`))
      }
    },
  }
}

/** The same place, with a token for a password. */
export const tokenTarget = (place: RedisTarget, token: RedisToken): RedisTarget => ({
  addresses: () => place.addresses().map(address => ({ ...address, ...token.current() })),
  lost() {
    place.lost()
    void token.refresh()
  },
})

import type { AccessToken } from '@azure/identity'
import { LRUCache } from 'lru-cache'
import { cacheClock } from '../lib/cache-clock.ts'
import type { Clock } from '../lib/clock.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import { ConnectorError } from '../errors.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'

/**
 * Tokens for Graph, each kept for the partition it was obtained for; whoever asks meanwhile shares
 * the one exchange.
 */
export interface TokenCache {
  /** The partition's token; `obtain` is asked when there is none that is still good. */
  get(partition: string, obtain: () => Promise<AccessToken>): Promise<string>
  /** Forgets the partition's token. */
  drop(partition: string): void
}

/** What a partition holds: a token, or for a moment the refusal of its credentials. */
type Entry = { readonly token: string } | { readonly refusal: ConnectorError }

export interface TokenCacheOptions {
  readonly clock: Clock
  /** @default hears nothing */
  readonly observer?: Observer | undefined
  /** What the cache may weigh: a token weighs its length, 2 to 3 kB as a rule. @default 16 MiB */
  readonly maxBytes?: number
}

/** Partitions remembered. */
const maxPartitions = 10_000

/** What an entry weighs beside its token: two hashes, and what holds them. */
const entryBytes = 400

/**
 * A token is not used in its last two minutes: Graph's clock may differ, and a call takes its time.
 */
const marginMs = 120_000

/** A client that repeats wrong credentials is not let through to Entra again for so long. */
const refusedMs = 5000

/** How long to use a token that lives `lifetimeMs`: all but the margin, or half of a short life. */
const usableMs = (lifetimeMs: number): number =>
  Math.floor(Math.max(lifetimeMs - marginMs, lifetimeMs / 2))

export function createTokenCache({
  clock,
  observer = noObserver,
  maxBytes = 16 * 1024 * 1024,
}: TokenCacheOptions): TokenCache {
  const entries = new LRUCache<string, Entry>({
    max: maxPartitions,
    maxSize: maxBytes,
    sizeCalculation: entry => entryBytes + ('token' in entry ? entry.token.length : 0),
    ttl: 1,
    ttlResolution: 0,
    perf: cacheClock(clock),
  })
  const share = createSingleFlight<string>()

  async function exchange(partition: string, obtain: () => Promise<AccessToken>): Promise<string> {
    try {
      const { token, expiresOnTimestamp } = await obtain()
      observer.tokenObtained('exchanged')
      // The timestamp is by the machine's clock; only its distance counts.
      const ttl = usableMs(expiresOnTimestamp - Date.now())
      if (ttl > 0) entries.set(partition, { token }, { ttl })
      return token
    } catch (error) {
      observer.tokenObtained('refused')
      if (error instanceof ConnectorError && error.code === 'InvalidClientCredentials') {
        entries.set(partition, { refusal: error }, { ttl: refusedMs })
      }
      throw error
    }
  }

  return {
    async get(partition, obtain) {
      const entry = entries.get(partition)
      if (entry) observer.tokenObtained('cached')
      if (entry && 'refusal' in entry) throw entry.refusal
      if (entry) return entry.token
      return share(partition, () => exchange(partition, obtain))
    },
    drop(partition) {
      entries.delete(partition)
    },
  }
}

import { importJWK } from 'jose'
import { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'
import type { ClaimedOrigin, TokenVersion } from './token-origin.ts'

/** A key that verifies signatures. */
export type SigningKey = Awaited<ReturnType<typeof importJWK>>

/**
 * The published key of a tenant by its id; `undefined` when the tenant publishes no such key.
 * @throws ConnectorError `EntraUnavailable` when that cannot be found out.
 */
export type FindSigningKey = (origin: ClaimedOrigin) => Promise<SigningKey | undefined>

export interface SigningKeysOptions {
  /** Root of Entra, without a closing slash. */
  readonly authority: string
  readonly clock: Clock
  /** @default 5_000 (docs/api.md#45-tokens-for-graph) */
  readonly timeoutMs?: number | undefined
}

/** An unknown key id makes us look again, at most this often: anybody can invent key ids. */
const refreshCooldownMs = 5 * 60_000

/** Keys of this age are read anew, in the background. */
const refreshAgeMs = 60 * 60_000

/** How long the last known good keys serve while Entra does not answer. */
const maxAgeMs = 24 * 60 * 60_000

const discovery = z.object({ jwks_uri: z.url() })
const rsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string(),
  use: z.literal('sig').default('sig'),
  n: z.string(),
  e: z.string(),
})
// A set may hold keys of other kinds; they are left out.
const keySet = z.object({ keys: z.array(z.unknown()) })

const wellKnown: Readonly<Record<TokenVersion, string>> = {
  v1: '.well-known/openid-configuration',
  v2: 'v2.0/.well-known/openid-configuration',
}

async function getJson<Schema extends z.ZodType>(
  url: string,
  schema: Schema,
  timeoutMs: number,
): Promise<z.output<Schema>> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok) throw new Error(`Entra answered ${response.status}`)
  return schema.parse(await response.json())
}

/** The keys of a set that may verify an RS256 signature, by their ids. */
async function usableKeys(set: z.output<typeof keySet>): Promise<Map<string, SigningKey>> {
  const keys = new Map<string, SigningKey>()
  for (const entry of set.keys) {
    const { data } = rsaKey.safeParse(entry)
    if (data) keys.set(data.kid, await importJWK(data, 'RS256'))
  }
  return keys
}

interface KnownKeys {
  readonly keys: ReadonlyMap<string, SigningKey>
  /** When they were read, in ms of the monotonic clock. */
  readonly readAt: number
}

/** The keys of one tenant and token version. */
function createKeySource(url: string, { authority, clock, timeoutMs = 5000 }: SigningKeysOptions) {
  let known: KnownKeys | undefined
  let reading: Promise<KnownKeys> | undefined
  let refreshedAt = Number.NEGATIVE_INFINITY

  async function readKeys(): Promise<KnownKeys> {
    try {
      const { jwks_uri: uri } = await getJson(url, discovery, timeoutMs)
      if (new URL(uri).origin !== new URL(authority).origin)
        throw new Error('The keys lie outside Entra')
      known = {
        keys: await usableKeys(await getJson(uri, keySet, timeoutMs)),
        readAt: clock.monotonic(),
      }
      return known
    } catch (cause) {
      throw new ConnectorError(
        'EntraUnavailable',
        'Cannot verify the bearer token: Entra does not publish its keys',
        {},
        { cause },
      )
    }
  }

  /** Reads the keys; Single flight: whoever comes meanwhile shares the read. */
  function load(): Promise<KnownKeys> {
    reading ??= readKeys().finally(() => {
      reading = undefined
    })
    return reading
  }

  /** A refresh, unless there was one lately. */
  function refresh(): Promise<KnownKeys> | undefined {
    if (clock.monotonic() - refreshedAt < refreshCooldownMs) return reading
    refreshedAt = clock.monotonic()
    return load()
  }

  async function find(keyId: string): Promise<SigningKey | undefined> {
    const age = known ? clock.monotonic() - known.readAt : Number.POSITIVE_INFINITY
    // The first load is no refresh: a key published right after it is found.
    const current = known && age < maxAgeMs ? known : await load()
    const key = current.keys.get(keyId)
    if (!key) return (await refresh())?.keys.get(keyId)
    if (age >= refreshAgeMs && age < maxAgeMs) refresh()?.catch(() => undefined)
    return key
  }

  /**
   * Keys that were loaded once and are too old now are read again: whoever is kept away by that
   * cannot bring it about.
   */
  async function check(): Promise<void> {
    if (known && clock.monotonic() - known.readAt >= maxAgeMs) await load()
  }

  return { find, check }
}

/** The keys of every tenant that was asked for. */
export interface SigningKeys {
  readonly find: FindSigningKey
  /**
   * @throws ConnectorError `EntraUnavailable` when keys that were loaded once are too old and
   * cannot be read again.
   */
  check(): Promise<void>
}

/**
 * Finds signing keys as tenants publish them: cached, read once for all who wait, and served for a
 * day while Entra is away.
 */
export function createSigningKeys(options: SigningKeysOptions): SigningKeys {
  const sources = new Map<string, ReturnType<typeof createKeySource>>()
  return {
    find({ tenantId, version, keyId }) {
      const url = `${options.authority}/${tenantId}/${wellKnown[version]}`
      const source = sources.get(url) ?? createKeySource(url, options)
      sources.set(url, source)
      return source.find(keyId)
    },
    async check() {
      await Promise.all(sources.values().map(source => source.check()))
    },
  }
}

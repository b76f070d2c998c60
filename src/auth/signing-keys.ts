import type { Clock } from '../lib/clock.ts'
import { ConnectorError } from '../errors.ts'
import type { Fetch } from './fetch.ts'
import { readKeySet, type KeySet, type SigningKey } from './key-set.ts'
import type { ClaimedOrigin, TokenVersion } from './token-origin.ts'

/**
 * The published key of a tenant by its id; `undefined` when the tenant publishes no such key.
 * @throws ConnectorError `EntraUnavailable` when that cannot be found out.
 */
export type FindSigningKey = (origin: ClaimedOrigin) => Promise<SigningKey | undefined>

export interface SigningKeysOptions {
  /** Root of Entra, without a closing slash. */
  readonly authority: string
  /** The tenant whose keys readiness asks for. */
  readonly homeTenantId: string
  readonly clock: Clock
  /** @default the global one */
  readonly fetch?: Fetch | undefined
  /** @default 5_000 (docs/api.md#45-tokens-for-graph) */
  readonly timeoutMs?: number | undefined
}

/** Unknown key ids make us look again, at most this often for a tenant: anybody can invent them. */
const tenantCooldownMs = 10_000

/** The same unknown key id makes us look again at most this often. */
const keyCooldownMs = 5 * 60_000

/** Keys of this age are read anew, in the background. */
const refreshAgeMs = 60 * 60_000

/** How often that is tried while it fails. */
const refreshPauseMs = 60_000

/** How long the last known good keys serve while Entra does not answer. */
const maxAgeMs = 24 * 60 * 60_000

const wellKnown: Readonly<Record<TokenVersion, string>> = {
  v1: '.well-known/openid-configuration',
  v2: 'v2.0/.well-known/openid-configuration',
}

interface KnownKeys {
  readonly keys: KeySet
  /** When they were read, in ms of the monotonic clock. */
  readonly readAt: number
}

/** What the token versions of one tenant share: one of them has the time in which to look. */
interface Tenant {
  /** When unknown keys were last looked for. */
  lookedAt: number
  /** Read the keys of each version that were read before. */
  readonly loads: Set<() => Promise<unknown>>
}

/** The keys of one tenant and token version. */
function createKeySource(
  discoveryUrl: string,
  tenant: Tenant,
  { authority, clock, fetch = globalThis.fetch, timeoutMs = 5000 }: SigningKeysOptions,
) {
  let known: KnownKeys | undefined
  let reading: Promise<KeySet> | undefined
  let refreshedAt = Number.NEGATIVE_INFINITY
  // At most one each tenantCooldownMs gets in, and none stays longer than keyCooldownMs.
  const lookedFor = new Map<string, number>()

  async function read(): Promise<KeySet> {
    try {
      const keys = await readKeySet({ authority, discoveryUrl, fetch, timeoutMs })
      known = { keys, readAt: clock.monotonic() }
      tenant.loads.add(load)
      return keys
    } catch (cause) {
      throw new ConnectorError(
        'EntraUnavailable',
        'Cannot verify the bearer token: Entra does not publish its keys',
        {},
        { cause },
      )
    }
  }

  /** Reads the keys. Single flight: whoever comes meanwhile shares the read. */
  function load(): Promise<KeySet> {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  /** Reads the keys for the sake of an unknown one; only a read that succeeds counts. */
  async function look(keyId: string, now: number): Promise<KeySet> {
    // Keys are rolled for all versions at once, and only one of them may look.
    for (const other of tenant.loads) if (other !== load) other().catch(() => undefined)
    const keys = await load()
    tenant.lookedAt = now
    for (const [id, at] of lookedFor) if (now - at >= keyCooldownMs) lookedFor.delete(id)
    lookedFor.set(keyId, now)
    return keys
  }

  function mayLook(keyId: string, now: number): boolean {
    const lookedAt = lookedFor.get(keyId) ?? Number.NEGATIVE_INFINITY
    return now - tenant.lookedAt >= tenantCooldownMs && now - lookedAt >= keyCooldownMs
  }

  async function findUnknown(keyId: string): Promise<SigningKey | undefined> {
    // What is read already may have been published before the key was.
    const key = (await reading)?.get(keyId)
    if (key) return key
    if (reading) return (await reading).get(keyId)
    const now = clock.monotonic()
    return mayLook(keyId, now) ? (await look(keyId, now)).get(keyId) : undefined
  }

  function refreshIfOld({ readAt }: KnownKeys): void {
    const now = clock.monotonic()
    if (now - readAt < refreshAgeMs || now - refreshedAt < refreshPauseMs) return
    refreshedAt = now
    load().catch(() => undefined)
  }

  return {
    async find(keyId: string): Promise<SigningKey | undefined> {
      if (known && clock.monotonic() - known.readAt < maxAgeMs) {
        const key = known.keys.get(keyId)
        if (!key) return findUnknown(keyId)
        refreshIfOld(known)
        return key
      }
      // Only who starts this read knows that it is younger than the token.
      const isMine = reading === undefined
      const key = (await load()).get(keyId)
      return key || isMine ? key : findUnknown(keyId)
    },
    /** Reads the keys, unless they were read once. */
    async readOnce(): Promise<void> {
      if (!known) await load()
    },
  }
}

/** The keys of every tenant that was asked for. */
export interface SigningKeys {
  readonly find: FindSigningKey
  /**
   * Fails until the keys of the home tenant were read once, and starts that read itself; never
   * fails again. @throws ConnectorError `EntraUnavailable`
   */
  check(): Promise<void>
}

/**
 * Finds signing keys as tenants publish them: cached, read once for all who wait, and served for a
 * day while Entra is away (docs/api.md#43-signing-keys).
 */
export function createSigningKeys(options: SigningKeysOptions): SigningKeys {
  const tenants = new Map<string, Tenant>()
  const sources = new Map<string, ReturnType<typeof createKeySource>>()

  function sourceOf(tenantId: string, version: TokenVersion) {
    const url = `${options.authority}/${tenantId}/${wellKnown[version]}`
    const tenant = tenants.get(tenantId) ?? {
      lookedAt: Number.NEGATIVE_INFINITY,
      loads: new Set(),
    }
    tenants.set(tenantId, tenant)
    const source = sources.get(url) ?? createKeySource(url, tenant, options)
    sources.set(url, source)
    return source
  }

  return {
    find: ({ tenantId, version, keyId }) => sourceOf(tenantId, version).find(keyId),
    check: () => sourceOf(options.homeTenantId.toLowerCase(), 'v2').readOnce(),
  }
}

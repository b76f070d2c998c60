import { importJWK } from 'jose'
import { z } from 'zod'
import type { Fetch } from './fetch.ts'

/** A key that verifies signatures. */
export type SigningKey = Awaited<ReturnType<typeof importJWK>>

/** Signing keys by their ids. */
export type KeySet = ReadonlyMap<string, SigningKey>

export interface KeySetOptions {
  /** Root of Entra, without a closing slash. */
  readonly authority: string
  /** Where the discovery document is. */
  readonly discoveryUrl: string
  readonly fetch: Fetch
  readonly timeoutMs: number
}

const discovery = z.object({ jwks_uri: z.url() })
const rsaKey = z.object({
  kty: z.literal('RSA'),
  kid: z.string(),
  use: z.literal('sig').default('sig'),
  n: z.string(),
  e: z.string(),
})
// A set may hold keys of other kinds; they are left out. Entra publishes about ten.
const publishedSet = z.object({ keys: z.array(z.unknown()).max(1000) })

/** The keys of a set that may verify an RS256 signature. */
async function usableKeys(entries: readonly unknown[]): Promise<KeySet> {
  const keys = new Map<string, SigningKey>()
  for (const entry of entries) {
    const { data } = rsaKey.safeParse(entry)
    if (data) keys.set(data.kid, await importJWK(data, 'RS256'))
  }
  return keys
}

/**
 * Reads the keys that a tenant publishes, by way of its discovery document (OpenID Connect
 * Discovery 1.0). @throws Error when either is not to be had, or lies outside of Entra.
 */
export async function readKeySet({
  authority,
  discoveryUrl,
  fetch,
  timeoutMs,
}: KeySetOptions): Promise<KeySet> {
  async function getJson<Schema extends z.ZodType>(
    url: string,
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    if (!response.ok) throw new Error(`Entra answered ${response.status}`)
    return schema.parse(await response.json())
  }

  const { jwks_uri: uri } = await getJson(discoveryUrl, discovery)
  if (new URL(uri).origin !== new URL(authority).origin)
    throw new Error('The keys lie outside Entra')
  return usableKeys((await getJson(uri, publishedSet)).keys)
}

import { readFile } from 'node:fs/promises'
import { ConnectorError } from '../errors.ts'
import { createSingleFlight } from '../lib/single-flight.ts'
import { entraNumbers } from './entra-numbers.ts'
import { exchangeAudiences, unverifiedPayload } from './exchange-audience.ts'
import type { Fetch } from './fetch.ts'
import { identityHttp } from './identity-http.ts'

/** Where this API's client assertion comes from, in the place of a secret. */
export type AssertionSource =
  /** A file that somebody else keeps up to date: the projected token of a workload identity. */
  | { readonly kind: 'file'; readonly path: string }
  /** The managed identity of where this process runs; its client id, when there are several. */
  | { readonly kind: 'managed-identity'; readonly clientId: string | undefined }

export interface OwnAssertionOptions {
  readonly source: AssertionSource
  /** How long an identity endpoint may take, in ms. */
  readonly timeoutMs: number
  /**
   * Reaches the identity endpoint, which is local: no proxy is on the way. @default the global one
   */
  readonly fetch?: Fetch | undefined
}

/**
 * This API's client assertion, for one exchange.
 * @throws ConnectorError `EntraMisconfigured`, `EntraUnavailable`
 */
export type OwnAssertion = () => Promise<string>

/** A projected token has 1 to 3 kB. */
const maxLength = 65_536

const misconfigured = (why: string, cause?: unknown): ConnectorError =>
  new ConnectorError(
    'EntraMisconfigured',
    'Cannot get a token for Graph: this service has no usable credential of its own',
    {},
    { cause: new Error(why, { cause }) },
  )

async function readAssertion(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw misconfigured('ENTRA_FEDERATED_TOKEN_FILE names a file that cannot be read', cause)
  })
  return text.trim()
}

/**
 * Asks the managed identity. Single flight; @azure/identity keeps the token until it must be
 * renewed.
 */
function managedIdentity(
  clientId: string | undefined,
  { fetch = globalThis.fetch, timeoutMs }: OwnAssertionOptions,
): OwnAssertion {
  const share = createSingleFlight<string>()
  const httpClient = identityHttp(fetch, timeoutMs)

  async function ask(): Promise<string> {
    const { ManagedIdentityCredential } = await import('@azure/identity')
    const options = { httpClient, retryOptions: { maxRetries: 0 } }
    try {
      const identity = new ManagedIdentityCredential({ ...(clientId && { clientId }), ...options })
      return (await identity.getToken(`${exchangeAudiences[0]}/.default`)).token
    } catch (error) {
      const { status = 0 } = ((error as Error).cause ?? {}) as { status?: number }
      if (status >= 400 && status < 404)
        throw misconfigured(
          `ENTRA_MANAGED_IDENTITY_CLIENT_ID: the identity endpoint refuses it with ${status}`,
        )
      throw new ConnectorError(
        'EntraUnavailable',
        'Cannot get a token for Graph: the managed identity does not answer',
        {},
        { cause: new Error(`The identity endpoint answered ${status || 'nothing'}`) },
      )
    }
  }

  return () => share('', ask)
}

/**
 * Gets this API's client assertion anew for each exchange, and refuses what Entra would not take
 * where that can be seen.
 */
export function createOwnAssertion(options: OwnAssertionOptions): OwnAssertion {
  const { source } = options
  const get =
    source.kind === 'file'
      ? () => readAssertion(source.path)
      : managedIdentity(source.clientId, options)

  return async () => {
    const assertion = await get()
    const payload = assertion.length > maxLength ? undefined : unverifiedPayload(assertion)
    if (!payload) throw misconfigured('ENTRA_CLIENT_ASSERTION: what it leads to is no JWT')
    if (payload['xms_ficinfo'] !== undefined)
      throw misconfigured(String(entraNumbers.get('700231')?.wayOut))
    return assertion
  }
}

const shown = (value: unknown): string | undefined => JSON.stringify(value)?.slice(0, 200)

/**
 * What the federated credential of this API must say for an assertion, as the log tells it: names
 * of places, no secret. Pure.
 */
export function expectedCredential(assertion: string): string {
  const { iss, sub, aud } = unverifiedPayload(assertion) ?? {}
  return `; the assertion has issuer ${shown(iss)}, subject ${shown(sub)}, audience ${shown(aud)}`
}

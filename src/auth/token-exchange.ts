import type * as identity from '@azure/identity'
import type { AccessToken, TokenCredential } from '@azure/identity'
import { ConnectorError } from '../errors.ts'
import { within } from '../lib/deadline.ts'
import { createTurns, type Turns } from '../lib/turns.ts'
import type { AssertingApp, ServicePrincipal } from './credentials.ts'
import { entraError, entraMisconfigured, type Grant } from './entra-errors.ts'
import type { Fetch } from './fetch.ts'
import { identityHttp } from './identity-http.ts'
import { createOwnCredentials, type ApiCredential } from './own-credential.ts'

export interface TokenExchangeOptions {
  readonly authority: string
  /** This API's client id. */
  readonly clientId: string
  readonly credential: ApiCredential
  /** The way out to Entra. @default the global `fetch` */
  readonly fetch?: Fetch | undefined
  /** How long Entra may take. @default 5_000 (docs/api.md#45-tokens-for-graph) */
  readonly timeoutMs?: number | undefined
}

/**
 * Gets tokens for Graph from Entra, one exchange a call. All throw ConnectorError as entraError()
 * says.
 */
export interface TokenExchange {
  /** A token that stands for the user of `assertion`, a verified token for this API. */
  onBehalfOf(tenantId: string, assertion: string): Promise<AccessToken>
  asServicePrincipal(principal: ServicePrincipal): Promise<AccessToken>
  /** A token of the app that trusts the identity of `assertion`, a verified token. */
  byAssertion(app: AssertingApp): Promise<AccessToken>
}

/** A credential for one exchange, and what the log should know when it is refused. */
interface Prepared {
  readonly credential: TokenCredential
  readonly facts?: string
}

/** Exchanges under way at once, of users and of apps each: one takes 4 ms of CPU. */
const exchangesAtOnce = 64

/** Exchanges that wait for a turn, of users and of apps each. */
const maxWaiting = 10_000

const graph = 'https://graph.microsoft.com'

/**
 * Read.All does not write and ReadWrite.All does not read, as Graph documents them: a submit that
 * polls needs both.
 */
export const delegatedScopes = ['Read', 'ReadWrite'].map(
  right => `${graph}/SecurityCopilotWorkspaces.${right}.All`,
)

const applicationScopes = [`${graph}/.default`]

const turnsOf = (): Turns =>
  createTurns(exchangesAtOnce, maxWaiting, () => new Error('Too many wait for Entra'))

/**
 * The real Entra, through @azure/identity. Its credential objects weigh 14 to 18 kB, so each serves
 * one exchange only.
 */
export function createTokenExchange({
  authority,
  clientId,
  credential,
  fetch = globalThis.fetch,
  timeoutMs = 5000,
}: TokenExchangeOptions): TokenExchange {
  const options = {
    authorityHost: authority,
    // The authority is the operator's own word; asking Microsoft's public host about it would be a
    // second call.
    disableInstanceDiscovery: true,
    // Its retries wait as long as `Retry-After` says; callers are told to come again instead.
    retryOptions: { maxRetries: 0 },
    httpClient: identityHttp(fetch, timeoutMs),
  }
  const own = createOwnCredentials(credential, timeoutMs)
  const [ofUsers, ofApps] = [turnsOf(), turnsOf()]

  async function obtain(
    grant: Grant,
    prepare: (library: typeof identity) => Promise<Prepared>,
  ): Promise<AccessToken> {
    const isUser = grant === 'onBehalfOf'
    let facts: string | undefined
    let isLate = false
    async function exchange(library: typeof identity): Promise<AccessToken> {
      if (isLate) throw new Error('Nobody waits any more')
      const prepared = await prepare(library)
      facts = prepared.facts
      const scopes = isUser ? delegatedScopes : applicationScopes
      // The credentials used here resolve to a token or reject.
      return (await prepared.credential.getToken(scopes, { enableCae: isUser })) as AccessToken
    }
    try {
      // Loaded when Entra is first asked: loading takes a quarter of a second.
      const library = await import('@azure/identity')
      return await within(
        timeoutMs,
        (isUser ? ofUsers : ofApps)(() => exchange(library)),
      )
    } catch (error) {
      if (error instanceof ConnectorError) throw error
      const known = entraError(error, grant, facts)
      const problem = isUser && known.code === 'EntraUnavailable' && (await own.problem())
      throw problem ? entraMisconfigured(new Error(problem)) : known
    } finally {
      isLate = true
    }
  }

  return {
    onBehalfOf: (tenantId, assertion) =>
      obtain('onBehalfOf', async ({ OnBehalfOfCredential }) => {
        const { options: ownOptions, facts } = await own.get()
        const user = { tenantId, clientId, userAssertionToken: assertion, ...options }
        // One constructor, but a type for each kind of credential.
        const all = { ...user, ...ownOptions } as identity.OnBehalfOfCredentialSecretOptions
        return { credential: new OnBehalfOfCredential(all), facts }
      }),
    asServicePrincipal: ({ tenantId, clientId: principalId, clientSecret }) =>
      obtain('servicePrincipal', async ({ ClientSecretCredential }) => ({
        credential: new ClientSecretCredential(tenantId, principalId, clientSecret, options),
      })),
    byAssertion: ({ tenantId, clientId: appId, assertion }) =>
      obtain('clientAssertion', async ({ ClientAssertionCredential }) => ({
        credential: new ClientAssertionCredential(tenantId, appId, async () => assertion, options),
      })),
  }
}

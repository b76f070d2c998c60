import type * as identity from '@azure/identity'
import type { AccessToken, ClientSecretCredential, OnBehalfOfCredential } from '@azure/identity'
import { within } from '../lib/deadline.ts'
import { createTurns, type Turns } from '../lib/turns.ts'
import type { ServicePrincipal } from './credentials.ts'
import { entraError, type Grant } from './entra-errors.ts'

/** This API's own credential at Entra: a secret, or a certificate's PEM file. */
export type ApiCredential = { readonly clientSecret: string } | { readonly certificatePath: string }

export interface TokenExchangeOptions {
  readonly authority: string
  /** This API's client id. */
  readonly clientId: string
  readonly credential: ApiCredential
  /** How long Entra may take. @default 5_000 (docs/api.md#45-tokens-for-graph) */
  readonly timeoutMs?: number | undefined
}

/**
 * Gets tokens for Graph from Entra, one exchange a call. Both throw ConnectorError as
 * entraError() says.
 */
export interface TokenExchange {
  /** A token that stands for the user of `assertion`, a verified token for this API. */
  onBehalfOf(tenantId: string, assertion: string): Promise<AccessToken>
  asServicePrincipal(principal: ServicePrincipal): Promise<AccessToken>
}

const turnsOf = (): Turns =>
  createTurns(exchangesAtOnce, maxWaiting, () => new Error('Too many wait for Entra'))

type Credential = ClientSecretCredential | OnBehalfOfCredential

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

/**
 * The real Entra, through @azure/identity. Its credential objects weigh 14 to 18 kB, so each serves
 * one exchange only.
 */
export function createTokenExchange({
  authority,
  clientId,
  credential,
  timeoutMs = 5000,
}: TokenExchangeOptions): TokenExchange {
  const options = {
    authorityHost: authority,
    // The authority is the operator's own word; asking Microsoft's public host about it would be a
    // second call.
    disableInstanceDiscovery: true,
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
    // @azure/identity ignores abortSignal and requestOptions.timeout: this is where a deadline can
    // be set on its requests.
    additionalPolicies: [
      {
        position: 'perCall' as const,
        policy: {
          name: 'deadline',
          sendRequest: (request: { timeout: number }, next: (request: never) => Promise<never>) => {
            request.timeout = timeoutMs
            return next(request as never)
          },
        },
      },
    ],
  }

  const turns = { onBehalfOf: turnsOf(), servicePrincipal: turnsOf() }

  async function obtain(
    grant: Grant,
    create: (library: typeof identity) => Credential,
    scopes: string[],
  ): Promise<AccessToken> {
    try {
      // Loaded when Entra is first asked: loading takes a quarter of a second.
      const library = await import('@azure/identity')
      let isLate = false
      const work = turns[grant](async () => {
        if (isLate) throw new Error('Nobody waits any more')
        return create(library).getToken(scopes, { enableCae: grant === 'onBehalfOf' })
      })
      return await within(timeoutMs, work).finally(() => {
        isLate = true
      })
    } catch (error) {
      throw entraError(error, grant)
    }
  }

  return {
    onBehalfOf: (tenantId, assertion) =>
      obtain(
        'onBehalfOf',
        ({ OnBehalfOfCredential }) => {
          const user = { tenantId, clientId, userAssertionToken: assertion, ...options }
          // One constructor, but a type for each kind of credential.
          return 'clientSecret' in credential
            ? new OnBehalfOfCredential({ ...user, ...credential })
            : new OnBehalfOfCredential({ ...user, ...credential })
        },
        delegatedScopes,
      ),
    asServicePrincipal: ({ tenantId, clientId: principalId, clientSecret }) =>
      obtain(
        'servicePrincipal',
        ({ ClientSecretCredential }) =>
          new ClientSecretCredential(tenantId, principalId, clientSecret, options),
        applicationScopes,
      ),
  }
}

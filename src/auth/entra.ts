import type { Clock } from '../lib/clock.ts'
import type { Config } from '../config.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import { createAuthenticate } from './authenticate.ts'
import type { Authenticate, Caller } from './caller.ts'
import type { Fetch } from './fetch.ts'
import type { ApiCredential } from './own-credential.ts'
import { createTokenReader } from './token-reader.ts'
import { createTokenExchange } from './token-exchange.ts'
import { createSignInLimit } from './sign-in-limit.ts'
import { createTokenCache } from './token-cache.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createAssertionVerifier } from './verify-assertion.ts'
import { createVerifier } from './verify-token.ts'

export interface EntraOptions {
  readonly config: Config
  readonly clock: Clock
  /** @default hears nothing */
  readonly observer?: Observer
  /** Who a call without credentials is taken for. @default it is refused */
  readonly anonymous?: Caller | undefined
  /** The way out to Entra. @default the global `fetch` */
  readonly fetch?: Fetch | undefined
  /** How long Entra may take. @default 5_000 (docs/api.md#45-tokens-for-graph) */
  readonly timeoutMs?: number | undefined
}

/** Authentication by Entra, as a configuration describes it. */
export interface Entra {
  readonly authenticate: Authenticate
  /**
   * Fails until Entra's keys of the home tenant were read once, and starts that read itself; never
   * fails again. @throws ConnectorError `EntraUnavailable`
   */
  checkKeys(): Promise<void>
}

function apiCredential({
  ENTRA_CLIENT_SECRET: clientSecret,
  ENTRA_CLIENT_CERTIFICATE_PATH: certificatePath,
  ENTRA_CLIENT_ASSERTION: kind,
  ENTRA_FEDERATED_TOKEN_FILE: path = '',
  ENTRA_MANAGED_IDENTITY_CLIENT_ID: clientId,
}: Config): ApiCredential {
  if (clientSecret) return { clientSecret }
  if (certificatePath) return { certificatePath }
  return { assertion: kind === 'managed-identity' ? { kind, clientId } : { kind: 'file', path } }
}

export function createEntra({
  config,
  clock,
  observer = noObserver,
  anonymous,
  fetch,
  timeoutMs = 5000,
}: EntraOptions): Entra {
  const {
    ENTRA_AUTHORITY: authority,
    ENTRA_CLIENT_ID: clientId,
    ENTRA_ALLOWED_TENANTS: allowedTenants,
  } = config
  const furtherAudience = config.ENTRA_AUDIENCE === undefined ? [] : [config.ENTRA_AUDIENCE]
  const signingKeys = createSigningKeys({
    authority,
    homeTenantId: config.ENTRA_TENANT_ID,
    clock,
    fetch,
    timeoutMs,
  })
  const read = createTokenReader({ findKey: signingKeys.find, clock, authority, allowedTenants })
  const signInLimit = () => createSignInLimit({ clock, maxWaitMs: timeoutMs })
  const authenticate = createAuthenticate({
    verify: createVerifier({
      read,
      clock,
      audiences: [clientId, `api://${clientId}`, ...furtherAudience],
      scope: config.ENTRA_SCOPE,
    }),
    verifyAssertion: createAssertionVerifier(read, clock),
    exchange: createTokenExchange({
      authority,
      clientId,
      credential: apiCredential(config),
      fetch,
      timeoutMs,
    }),
    tokens: {
      users: createTokenCache({ clock, observer }),
      apps: createTokenCache({ clock, observer }),
    },
    signIns: { bySecret: signInLimit(), byAssertion: signInLimit() },
    clock,
    allowedTenants,
    ownClientId: clientId,
    anonymous,
  })
  return { authenticate, checkKeys: signingKeys.check }
}

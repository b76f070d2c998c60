import type { Clock } from '../lib/clock.ts'
import type { Config } from '../config.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import { createAuthenticate } from './authenticate.ts'
import type { Authenticate, Caller } from './caller.ts'
import type { Fetch } from './fetch.ts'
import { createTokenExchange, type ApiCredential } from './token-exchange.ts'
import { createSignInLimit } from './sign-in-limit.ts'
import { createTokenCache } from './token-cache.ts'
import { createSigningKeys } from './signing-keys.ts'
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
  ENTRA_CLIENT_SECRET,
  ENTRA_CLIENT_CERTIFICATE_PATH = '',
}: Config): ApiCredential {
  return ENTRA_CLIENT_SECRET === undefined
    ? { certificatePath: ENTRA_CLIENT_CERTIFICATE_PATH }
    : { clientSecret: ENTRA_CLIENT_SECRET }
}

export function createEntra({
  config,
  clock,
  observer = noObserver,
  anonymous,
  fetch,
  timeoutMs,
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
  const authenticate = createAuthenticate({
    verify: createVerifier({
      findKey: signingKeys.find,
      clock,
      authority,
      allowedTenants,
      audiences: [clientId, `api://${clientId}`, ...furtherAudience],
      scope: config.ENTRA_SCOPE,
    }),
    exchange: createTokenExchange({
      authority,
      clientId,
      credential: apiCredential(config),
      timeoutMs,
    }),
    tokens: {
      users: createTokenCache({ clock, observer }),
      apps: createTokenCache({ clock, observer }),
    },
    signIns: createSignInLimit({ clock, maxWaitMs: timeoutMs ?? 5000 }),
    allowedTenants,
    ownClientId: clientId,
    anonymous,
  })
  return { authenticate, checkKeys: signingKeys.check }
}

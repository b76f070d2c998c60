import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import { createAuthenticate } from './authenticate.ts'
import type { Authenticate } from './connection.ts'
import { createExchange, type ApiCredential } from './exchange.ts'
import { createGraphTokens } from './graph-tokens.ts'
import { createSigningKeys } from './signing-keys.ts'
import { createVerifier } from './verify.ts'

function apiCredential({ ENTRA_CLIENT_SECRET, ENTRA_CLIENT_CERTIFICATE_PATH = '' }: Config): ApiCredential {
  return ENTRA_CLIENT_SECRET === undefined
    ? { certificatePath: ENTRA_CLIENT_CERTIFICATE_PATH }
    : { clientSecret: ENTRA_CLIENT_SECRET }
}

/** Authentication by Entra, as a configuration describes it. */
export function authenticateByEntra(config: Config, clock: Clock, timeoutMs?: number): Authenticate {
  const { ENTRA_AUTHORITY: authority, ENTRA_CLIENT_ID: clientId, ENTRA_ALLOWED_TENANTS: allowedTenants } = config
  const furtherAudience = config.ENTRA_AUDIENCE === undefined ? [] : [config.ENTRA_AUDIENCE]
  return createAuthenticate({
    verify: createVerifier({
      findKey: createSigningKeys({ authority, clock, timeoutMs }),
      clock,
      authority,
      allowedTenants,
      audiences: [clientId, `api://${clientId}`, ...furtherAudience],
      scope: config.ENTRA_SCOPE,
    }),
    exchange: createExchange({ authority, clientId, credential: apiCredential(config), timeoutMs }),
    tokens: createGraphTokens(clock),
    allowedTenants,
    clock,
  })
}

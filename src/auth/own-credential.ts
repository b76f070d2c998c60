import { certificateProblem } from '../config-values.ts'
import { createOwnAssertion, expectedCredential, type AssertionSource } from './own-assertion.ts'
import type { Fetch } from './fetch.ts'

/** This API's own credential at Entra: a secret, a certificate's PEM file, or an assertion. */
export type ApiCredential =
  | { readonly clientSecret: string }
  | { readonly certificatePath: string }
  | { readonly assertion: AssertionSource }

/** The credential, as one exchange uses it. */
export interface OwnCredential {
  readonly options:
    | { readonly clientSecret: string }
    | { readonly certificatePath: string }
    | { readonly getAssertion: () => Promise<string> }
  /** What the log should know when Entra refuses it. */
  readonly facts: string
}

export interface OwnCredentials {
  /** @throws ConnectorError `EntraMisconfigured`, `EntraUnavailable` */
  get(): Promise<OwnCredential>
  /** What is wrong with the credential itself, if that can be seen here. */
  problem(): Promise<string | undefined>
}

/** Why the certificate cannot be used now, though it could at the start. */
function problemOf(path: string): string | undefined {
  const problem = certificateProblem(path)
  return problem && `ENTRA_CLIENT_CERTIFICATE_PATH ${problem}`
}

/** Reads this API's own credential for each exchange. */
export function createOwnCredentials(
  credential: ApiCredential,
  timeoutMs: number,
  identityFetch?: Fetch,
): OwnCredentials {
  if (!('assertion' in credential)) {
    return {
      get: async () => ({ options: credential, facts: '' }),
      problem: async () =>
        'certificatePath' in credential ? problemOf(credential.certificatePath) : undefined,
    }
  }
  const { assertion: source } = credential
  const getOwn = createOwnAssertion({ source, timeoutMs, fetch: identityFetch })
  return {
    async get() {
      const assertion = await getOwn()
      // Asked twice for one exchange: so it is read before, once.
      return {
        options: { getAssertion: async () => assertion },
        facts: expectedCredential(assertion),
      }
    },
    problem: async () => undefined,
  }
}

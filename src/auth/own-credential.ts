import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
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

/** Why a PEM file is no certificate with its key; `undefined` when it is one. */
async function certificateProblem(path: string): Promise<string | undefined> {
  try {
    const pem = await readFile(path, 'utf8')
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))
      ? undefined
      : 'ENTRA_CLIENT_CERTIFICATE_PATH: the key is not that of the certificate'
  } catch {
    return 'ENTRA_CLIENT_CERTIFICATE_PATH: no PEM file with a certificate and its key'
  }
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
        'certificatePath' in credential
          ? certificateProblem(credential.certificatePath)
          : undefined,
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

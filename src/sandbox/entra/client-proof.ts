import { createPublicKey } from 'node:crypto'
import { decodeJwt, jwtVerify } from 'jose'
import { proveByFederation, type FederatedCredential, type ProofContext } from './federation.ts'
import { tokenError } from './token-error.ts'

/** An app registration: this API, or a service principal. */
export interface App {
  readonly clientId: string
  /** @default none: the app is proved otherwise */
  readonly clientSecret?: string
  /** PEM of a certificate that proves the app as well as its secret does. */
  readonly certificate?: string | undefined
  /** Identities whose tokens prove the app. */
  readonly federated?: readonly FederatedCredential[] | undefined
}

/** What a client sends to prove which app it is. */
export interface ClientProof {
  readonly clientId: string
  readonly clientSecret: string
  /** A JWT signed with the app's certificate, or of an identity it trusts. */
  readonly clientAssertion?: string | undefined
}

/** Whom an assertion says that it comes from. */
function issuerOf(assertion: string): string | undefined {
  try {
    return decodeJwt(assertion).iss
  } catch {
    throw tokenError('invalid_client', 50027, 'The assertion is no JWT.')
  }
}

/** Refuses a client that does not prove to be this app: by secret, certificate or federation. */
export async function prove(
  { clientId, clientSecret, clientAssertion }: ClientProof,
  app: App | undefined,
  context: ProofContext,
): Promise<void> {
  if (!app) throw tokenError('unauthorized_client', 700016, 'Application not found.')
  if (clientAssertion === undefined) {
    if (app.clientSecret === undefined || clientSecret !== app.clientSecret)
      throw tokenError('invalid_client', 7000215, 'Invalid client secret.')
    return
  }
  if (issuerOf(clientAssertion) !== clientId)
    return proveByFederation(clientAssertion, app.federated ?? [], context)
  try {
    await jwtVerify(clientAssertion, createPublicKey(app.certificate ?? ''), {
      issuer: clientId,
      subject: clientId,
      clockTolerance: 60,
    })
  } catch {
    throw tokenError('invalid_client', 700027, 'The certificate is not registered.')
  }
}

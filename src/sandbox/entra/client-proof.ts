import { createPublicKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { tokenError } from './token-error.ts'

/** An app registration: this API, or a service principal. */
export interface App {
  readonly clientId: string
  readonly clientSecret: string
  /** PEM of a certificate that proves the app as well as its secret does. */
  readonly certificate?: string | undefined
}

/** What a client sends to prove which app it is. */
export interface ClientProof {
  readonly clientId: string
  readonly clientSecret: string
  /** A JWT signed with the app's certificate, instead of the secret. */
  readonly clientAssertion?: string | undefined
}

/** Refuses a client that does not prove to be this app, by its secret or its certificate. */
export async function prove(
  { clientId, clientSecret, clientAssertion }: ClientProof,
  app: App | undefined,
): Promise<void> {
  if (!app) throw tokenError('unauthorized_client', 700016, 'Application not found.')
  if (clientAssertion === undefined) {
    if (clientSecret !== app.clientSecret)
      throw tokenError('invalid_client', 7000215, 'Invalid client secret.')
    return
  }
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

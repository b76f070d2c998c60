import { createLocalJWKSet, decodeJwt, jwtVerify, type JWK } from 'jose'
import { tokenError, type TokenError } from './token-error.ts'

/** An identity that an app trusts in the place of a secret. */
export interface FederatedCredential {
  /** @default this Entra, for a managed identity of its tenant */
  readonly issuer?: string
  /** A managed identity's object id, or what another issuer calls its workload. */
  readonly subject: string
  /** @default `api://AzureADTokenExchange` */
  readonly audience?: string
  /** The keys of another issuer than this Entra. @default this Entra's own */
  readonly keys?: readonly JWK[]
}

/** A user-assigned managed identity. */
export interface ManagedIdentity {
  readonly clientId: string
  /** What a federated credential names as its subject. */
  readonly objectId: string
}

const exchangeResource = 'api://AzureADTokenExchange'

/** Entra's tokens name the resource by its id. */
export const exchangeResourceId = 'fb60f99c-7a34-4190-8149-302f77469936'

/** What this Entra proves an assertion by. */
export interface ProofContext {
  readonly tenantId: string
  readonly keys: readonly JWK[]
  readonly now: Date
}

const refuse = (aadsts: number, text: string): TokenError =>
  tokenError('invalid_client', aadsts, text)

/**
 * Refuses an assertion that no federated credential of the app stands for, as Entra does: issuer,
 * audience and subject are told apart.
 */
export async function proveByFederation(
  assertion: string,
  credentials: readonly FederatedCredential[],
  { tenantId, keys: ownKeys, now }: ProofContext,
): Promise<void> {
  const { iss, sub, aud, scp, xms_ficinfo: federation } = decodeJwt(assertion)
  const audiences = new Set(
    [aud].flat().map(one => (one === exchangeResourceId ? exchangeResource : one)),
  )
  const ofIssuer = credentials.filter(({ issuer }) =>
    issuer === undefined ? iss?.endsWith(`/${tenantId}/v2.0`) : issuer === iss,
  )
  if (ofIssuer.length === 0) throw refuse(700211, `No record found for issuer '${iss}'.`)
  const ofAudience = ofIssuer.filter(one => audiences.has(one.audience ?? exchangeResource))
  if (ofAudience.length === 0) throw refuse(700212, 'No record found for the audience.')
  const credential = ofAudience.find(({ subject }) => subject === sub)
  if (!credential) throw refuse(700213, `No record found for subject '${sub}'.`)
  if (federation !== undefined) throw refuse(700231, 'The token came by federation.')
  if (scp !== undefined) throw refuse(700229, 'Only app-only tokens may be used.')
  try {
    const keys = createLocalJWKSet({ keys: [...(credential.keys ?? ownKeys)] })
    await jwtVerify(assertion, keys, { currentDate: now, clockTolerance: 60 })
  } catch {
    throw refuse(700024, 'The assertion is not within its valid time range, or not signed.')
  }
}

import type { IncomingHttpHeaders } from 'node:http'

/** One identity that calls: everything the service does for it, Graph sees as done by it. */
export interface Connection {
  /** Names the identity in caches, allowances and logs; derived from what was verified, never from what was claimed. */
  readonly key: string
  /** A token for Graph that stands for this identity. */
  graphToken(): Promise<string>
}

/**
 * Finds out who calls from the request's headers.
 * @throws ConnectorError `AuthenticationRequired` and the other 401 and 403 rows of the catalogue.
 */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Connection>

/** The headers by which a service principal calls (the seed's Tenant, Client ID and Client Secret). */
const servicePrincipalHeaders = ['x-entra-tenant-id', 'x-entra-client-id', 'x-entra-client-secret']

/** Whether a request carries any credentials. An empty `x-entra-*` header counts as absent: connectors send it so. */
export const carriesCredentials = (headers: IncomingHttpHeaders): boolean =>
  headers.authorization !== undefined || servicePrincipalHeaders.some(name => (headers[name] ?? '') !== '')

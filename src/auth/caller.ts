import type { IncomingMessage } from 'node:http'

/** Who calls: everything the service does for a caller, Graph sees as done by it. */
export interface Caller {
  /**
   * Names the caller's connection in caches, allowances and logs: a hash of what was verified,
   * never of what was claimed.
   */
  readonly key: string
  readonly tenantId: string
  /**
   * A token for Graph that stands for this caller.
   * @throws ConnectorError the 401 rows, `EntraMisconfigured` and `EntraUnavailable`.
   */
  graphToken(): Promise<string>
  /** Graph refused the token: the next call gets a new one. */
  dropGraphToken(): void
}

/**
 * Finds out who calls from the request's headers, before anything else is read of it.
 * @throws ConnectorError the 400, 401 and 403 rows of the catalogue, `EntraMisconfigured` and
 *   `EntraUnavailable`.
 */
export type Authenticate = (request: IncomingMessage) => Promise<Caller>

import type { IncomingMessage } from 'node:http'

/**
 * How a connection says who it is (docs/api.md#41-connection-types). `Default` is a connection that
 * says nothing: the sandbox's own. A deprecated `Default` of a connector sends what `Oauth` sends.
 */
export type ConnectionType = 'Oauth' | 'OauthServicePrincipal' | 'OauthClientAssertion' | 'Default'

/** Who calls: everything the service does for a caller, Graph sees as done by it. */
export interface Caller {
  /**
   * Names the caller's connection in caches, allowances and logs: a hash of what was verified,
   * never of what was claimed.
   */
  readonly key: string
  /**
   * Names the identity behind the connection, whatever client app it comes by: a hash of tenant and
   * user, or of tenant and app.
   */
  readonly identityKey: string
  readonly type: ConnectionType
  /** The user's object id, or the app's client id. */
  readonly identityId: string
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

import type { IncomingMessage } from 'node:http'
import type { Journal } from '../telemetry/journal.ts'

/** How long a request may take repeating calls to Graph (contract, section 7). */
export const retryBudgetMs = 30_000

/** One identity that calls: everything the service does for it, Graph sees as done by it. */
export interface Identity {
  /**
   * Names the identity in caches, allowances and logs: a hash of what was verified, never of what
   * was claimed.
   */
  readonly key: string
  readonly tenantId: string
  /** Calls to Graph are repeated until then, in ms since 1970: the budget of this request. */
  readonly retryUntil: number
  /**
   * A token for Graph that stands for this identity.
   * @throws ConnectorError the 401 rows, `EntraMisconfigured` and `EntraUnavailable`.
   */
  graphToken(): Promise<string>
  /** Graph refused the token: the next call gets a new one. */
  dropGraphToken(): void
}

/** An identity in one request of its. */
export interface Connection extends Identity {
  /** What the request did so far. */
  readonly journal: Journal
}

/**
 * Finds out who calls from the request's headers, before anything else is read of it.
 * @throws ConnectorError the 400, 401 and 403 rows of the catalogue, `EntraMisconfigured` and
 *   `EntraUnavailable`.
 */
export type Authenticate = (request: IncomingMessage) => Promise<Identity>

import type { Connection } from '../../src/connections/connection.ts'

/** A connection by name, with a token that the world's Graph simulator knows; `dropped` counts the tokens given back. */
export function connectionOf(
  name: string,
  graphToken = async () => `token-of-${name}`,
  retryUntil = Number.POSITIVE_INFINITY,
): Connection & { dropped: number } {
  const connection = {
    key: name,
    tenantId: 'a-tenant',
    retryUntil,
    dropped: 0,
    graphToken,
    dropGraphToken() {
      connection.dropped += 1
    },
  }
  return connection
}

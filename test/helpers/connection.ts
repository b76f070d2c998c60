import type { Connection } from '../../src/auth/caller.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import { passingTracer } from '../../src/telemetry/tracer.ts'

/**
 * A connection by name, with a token that the world's Graph simulator knows; `dropped` counts the
 * tokens given back.
 */
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
    journal: createJournal(
      passingTracer.startRequest({ id: 'a-request', method: 'GET', headers: {} }),
    ),
    graphToken,
    dropGraphToken() {
      connection.dropped += 1
    },
  }
  return connection
}

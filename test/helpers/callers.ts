import type { Caller } from '../../src/auth/caller.ts'
import type { GraphContext } from '../../src/graph/context.ts'
import { createJournal } from '../../src/telemetry/journal.ts'
import { passingTracer } from '../../src/telemetry/tracer.ts'

export type TestCaller = Caller & { dropped: number }

/**
 * A caller by name, with a token that the world's Graph simulator knows; `dropped` counts the
 * tokens given back.
 */
export function callerOf(name: string, graphToken = async () => `token-of-${name}`): TestCaller {
  const caller = {
    key: name,
    identityKey: name,
    type: 'Oauth' as const,
    identityId: name,
    tenantId: 'a-tenant',
    dropped: 0,
    graphToken,
    dropGraphToken() {
      caller.dropped += 1
    },
  }
  return caller
}

/** A request of a caller, with a retry budget that never ends. */
export const contextOf = (caller: Caller): GraphContext => ({
  caller,
  retryUntil: Number.POSITIVE_INFINITY,
  signal: new AbortController().signal,
  journal: createJournal(
    passingTracer.startRequest({ id: 'a-request', method: 'GET', headers: {} }),
  ),
})

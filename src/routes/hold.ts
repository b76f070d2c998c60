import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Patience } from '../copilot/long-poll.ts'
import { readPreference } from './prefer.ts'

/**
 * Holds a request as long as its caller prefers, or `seconds`; less when the caller leaves or the
 * service stops. The response says which preference was obeyed, unless `work` throws.
 */
export async function hold<Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  seconds: number,
  work: (patience: Patience) => Promise<Result>,
): Promise<Result> {
  const { waitSeconds, applied } = readPreference(request.headers.prefer, seconds)
  const result = await work({
    until: request.receivedAt + waitSeconds * 1000,
    signal: request.server.shutdown.waitSignal(reply),
  })
  if (applied !== undefined) reply.header('preference-applied', applied)
  return result
}

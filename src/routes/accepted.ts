import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { Copilot } from '../copilot/copilot.ts'
import type { Run } from '../copilot/evaluation.ts'
import type { PollPace } from '../copilot/poll-interval.ts'
import type { Clock } from '../lib/clock.ts'
import { toEvaluationResult } from './result.ts'

/** What the routes that hand out a run need. */
export interface RunRoutes {
  readonly copilot: Copilot
  readonly clock: Clock
  readonly pace: PollPace
  /** Base of the URLs handed out, without a closing slash. */
  readonly publicUrl: string
}

/**
 * The hosts of connector runtimes; a prefix elsewhere would send the caller's credentials to a
 * stranger.
 */
const runtimeHosts = ['.azure-apihub.net', '.azure-apim.net']

/** A longer prefix is not used: headers made of it would not pass every proxy. */
const maxPrefixLength = 512

const connectionPath = /^\/apim\/[\w.~-]+\/[\w.~-]+/

/** The connection's own address in a header, if that is https on a connector runtime's host. */
function connectionUrl(header: string | string[] | undefined, whole: boolean): string | undefined {
  if (typeof header !== 'string' || header.includes('\\') || !URL.canParse(header)) return undefined
  const { protocol, hostname, host, port, username, password, origin, pathname } = new URL(header)
  const isRuntime = runtimeHosts.some(suffix => hostname.endsWith(suffix))
  const trusted = isRuntime && host === hostname && !/^\.|\.\./.test(hostname)
  if (protocol !== 'https:' || !trusted || port || username || password) return undefined
  const path = connectionPath.exec(pathname)?.[0]
  if (path === undefined) return undefined
  const rest = pathname.slice(path.length)
  if (whole ? !/^\/?$/.test(rest) : !/^(\/|$)/.test(rest)) return undefined
  const prefix = origin + path
  return prefix.length <= maxPrefixLength ? prefix : undefined
}

/**
 * The base of the URLs handed to this caller: `publicUrl`, or the connector runtime's prefix when
 * the request came through one (docs/api.md#24-202-and-where-to-poll), so that a workflow engine
 * polls through its own connection. `Host` and `X-Forwarded-*` take no part. Pure.
 */
export const baseFor = (headers: IncomingHttpHeaders, publicUrl: string): string =>
  connectionUrl(headers['x-ms-apim-referrer-prefix'], true) ??
  connectionUrl(headers['x-ms-apim-referrer'], false) ??
  publicUrl

/** Where a run can be polled, absolute. */
function pollTargets(
  base: string,
  { sessionId, promptId, evaluation }: Run,
): { result: string; operation: string } {
  const url = `${base}/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluation.id}`
  return { result: `${url}/result`, operation: `${url}/operation` }
}

/**
 * Asks the caller to wait before the next poll: as long as what began then may still take; `since`
 * in ms since 1970.
 */
export function askToWaitSince(
  reply: FastifyReply,
  since: number,
  { clock, pace }: Pick<RunRoutes, 'clock' | 'pace'>,
): void {
  reply.header('retry-after', pace.retryAfterSeconds(clock.now() - since))
}

/** Asks the caller to wait before the next poll: as long as such an evaluation may still take. */
export const askToWait = (
  reply: FastifyReply,
  { evaluation }: Run,
  wire: Pick<RunRoutes, 'clock' | 'pace'>,
): void => askToWaitSince(reply, Date.parse(evaluation.createdDateTime), wire)

/** 202: the evaluation runs on. The body says how far it is, the headers where to hear the rest. */
export function sendAccepted(
  reply: FastifyReply,
  run: Run,
  wire: Omit<RunRoutes, 'copilot'>,
): FastifyReply {
  const { result, operation } = pollTargets(baseFor(reply.request.headers, wire.publicUrl), run)
  askToWait(reply, run, wire)
  return reply
    .code(202)
    .header('location', result)
    .header('operation-location', operation)
    .send(toEvaluationResult(run))
}

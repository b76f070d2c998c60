import type { IncomingHttpHeaders } from 'node:http'
import type { Run } from '../copilot/copilot.ts'

/**
 * The hosts of connector runtimes; a prefix elsewhere would send the caller's credentials to a
 * stranger.
 */
const runtimeHosts = ['.azure-apihub.net', '.azure-apim.net']

/** The URL in a header, if it is https on a connector runtime's host. */
function runtimeUrl(header: string | string[] | undefined): URL | undefined {
  if (typeof header !== 'string' || !URL.canParse(header)) return undefined
  const url = new URL(header)
  const trusted = runtimeHosts.some(host => url.hostname.endsWith(host))
  return trusted && url.protocol === 'https:' && !url.port && !url.username && !url.password
    ? url
    : undefined
}

/**
 * The base of the URLs handed to this caller: `publicUrl`, or the connector runtime's prefix when
 * the request came through one (contract, section 2), so that a workflow engine polls through its
 * own connection. `Host` and `X-Forwarded-*` take no part. Pure.
 */
export function baseFor(headers: IncomingHttpHeaders, publicUrl: string): string {
  const prefix = runtimeUrl(headers['x-ms-apim-referrer-prefix'])
  if (prefix) return (prefix.origin + prefix.pathname).replace(/\/+$/, '')
  const referrer = runtimeUrl(headers['x-ms-apim-referrer'])
  const connection = referrer && /^\/apim\/[^/]+\/[^/]+/.exec(referrer.pathname)?.[0]
  return connection ? referrer.origin + connection : publicUrl
}

/** Where a run can be polled, absolute. */
export function pollTargets(
  base: string,
  { sessionId, promptId, evaluation }: Run,
): { result: string; operation: string } {
  const url = `${base}/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluation.id}`
  return { result: `${url}/result`, operation: `${url}/operation` }
}

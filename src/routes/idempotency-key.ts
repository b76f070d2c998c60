import type { IncomingHttpHeaders } from 'node:http'
import type { IdempotencyKey } from '../copilot/submit.ts'
import { ConnectorError } from '../errors.ts'

/**
 * The header, and Microsoft's older name for it (OASIS Repeatable Requests); the first one that is
 * there counts.
 */
const names = ['idempotency-key', 'repeatability-request-id'] as const

const visible = /^[\x21-\x7e]{1,255}$/

/**
 * What a workflow engine says by itself of the execution of an action: the same in its repetitions.
 */
function platformKey(headers: IncomingHttpHeaders): IdempotencyKey | undefined {
  const runId = headers['x-ms-workflow-run-id']
  const trackingId = headers['x-ms-action-tracking-id']
  if (typeof runId !== 'string' || typeof trackingId !== 'string') return undefined
  if (!visible.test(runId) || !visible.test(trackingId)) return undefined
  return { from: 'platform', runId, trackingId }
}

/**
 * The key by which a Submit may be repeated, `undefined` when there is none: the caller's, 1 to 255
 * visible ASCII characters, bare or in quotes; else the one a platform sends by itself
 * (docs/api.md#61-idempotency-keys). An empty header counts as absent.
 * @throws ConnectorError `InvalidRequest`
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): IdempotencyKey | undefined {
  const header = names.find(one => (headers[one] ?? '') !== '')
  if (header === undefined) return platformKey(headers)
  const value = String(headers[header])
  const name = /^"(.*)"$/.exec(value)?.[1] ?? value
  if (visible.test(name)) return { from: 'caller', name }
  const message = `${header} must be 1 to 255 visible ASCII characters`
  throw new ConnectorError('InvalidRequest', `Cannot accept the request: ${message}`, {
    details: [{ code: 'InvalidValue', message, target: header }],
  })
}

import type { IncomingHttpHeaders } from 'node:http'
import { ConnectorError } from '../errors.ts'

/**
 * The header, and Microsoft's older name for it (OASIS Repeatable Requests); the first one that is
 * there counts.
 */
const names = ['idempotency-key', 'repeatability-request-id'] as const

const visible = /^[\x21-\x7e]{1,255}$/

/**
 * The key by which a Submit may be repeated, `undefined` when there is none: 1 to 255 visible ASCII
 * characters, bare or in quotes; an empty header counts as absent.
 * @throws ConnectorError `InvalidRequest`
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const name = names.find(one => (headers[one] ?? '') !== '')
  if (name === undefined) return undefined
  const value = String(headers[name])
  const key = /^"(.*)"$/.exec(value)?.[1] ?? value
  if (visible.test(key)) return key
  const message = `${name} must be 1 to 255 visible ASCII characters`
  throw new ConnectorError('InvalidRequest', `Cannot accept the request: ${message}`, {
    details: [{ code: 'InvalidValue', message, target: name }],
  })
}

import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Where a request stands in its caller's trace (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits: the caller's span. */
  readonly spanId: string
  /** Two hex digits; the lowest bit says that the caller records. */
  readonly flags: string
  /** Vendors' own, passed on as it came. */
  readonly state: string | undefined
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** A longer one need not be passed on (section 3.3.1.5). */
const maxStateLength = 512

const isZero = (id: string): boolean => /^0+$/.test(id)

/** The caller's trace; `undefined` when it sends none, or none that can be read. Pure. */
export function readTraceContext(headers: IncomingHttpHeaders): TraceContext | undefined {
  const { traceparent: header, tracestate } = headers
  const [, version, traceId = '', spanId = '', flags = '', rest] =
    traceparent.exec(String(header)) ?? []
  if (version === undefined || version === 'ff' || isZero(traceId) || isZero(spanId))
    return undefined
  if (version === '00' && rest !== undefined) return undefined
  const state =
    typeof tracestate === 'string' && tracestate.length <= maxStateLength ? tracestate : undefined
  return { traceId, spanId, flags, state }
}

/** A fresh id of a span, 8 bytes in hex: both ends of a UUID, where it is random throughout. */
export function freshSpanId(): string {
  const uuid = randomUUID()
  return uuid.slice(0, 8) + uuid.slice(-8)
}

/** The headers that put a call into a trace, as a child of `spanId`. Pure. */
export const traceHeaders = ({
  traceId,
  spanId,
  flags,
  state,
}: TraceContext): Record<string, string> => ({
  traceparent: `00-${traceId}-${spanId}-${flags}`,
  ...(state !== undefined && { tracestate: state }),
})

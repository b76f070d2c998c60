import type { IncomingHttpHeaders } from 'node:http'
import { freshSpanId, readTraceContext, traceHeaders } from './trace-context.ts'

/** A call to Graph within a request. */
export interface CallSpan {
  /** Headers that put the call into the trace. */
  readonly headers: Readonly<Record<string, string>>
  /** It is over; without a status, no response came. */
  end(status: number | undefined): void
}

/** One request, as a trace sees it. */
export interface RequestSpan {
  readonly traceId: string
  startCall(call: {
    readonly method: string
    readonly url: string
    readonly operation: string
  }): CallSpan
  /** It has its response. */
  end(response: {
    readonly route: string
    readonly status: number
    readonly code: string | undefined
  }): void
}

export interface IncomingRequest {
  /** A UUID. */
  readonly id: string
  readonly method: string
  readonly headers: IncomingHttpHeaders
}

/** Puts requests and their calls into traces. */
export interface Tracer {
  startRequest(request: IncomingRequest): RequestSpan
}

const ignore = (): void => undefined

/**
 * Records nothing: hands the caller's trace on to Graph, or one with the request's own id that
 * nobody records.
 */
export const passingTracer: Tracer = {
  startRequest({ id, headers }) {
    const fresh = { traceId: id.replaceAll('-', ''), spanId: '', flags: '00', state: undefined }
    const context = readTraceContext(headers) ?? fresh
    return {
      traceId: context.traceId,
      startCall: () => ({
        headers: traceHeaders({ ...context, spanId: freshSpanId() }),
        end: ignore,
      }),
      end: ignore,
    }
  },
}

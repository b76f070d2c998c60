import type { IncomingHttpHeaders } from 'node:http'
import { freshSpanId, freshTraceId, readTraceContext, traceHeaders } from './trace-context.ts'

/** A call to Graph within a request. */
export interface CallSpan {
  /** Headers that put the call into the trace. */
  readonly headers: Readonly<Record<string, string>>
  /** It is over; without a status, no answer came. */
  end(status: number | undefined): void
}

/** One request, as a trace sees it. */
export interface RequestSpan {
  readonly traceId: string
  startCall(call: { readonly method: string; readonly url: string; readonly operation: string }): CallSpan
  /** It is answered. */
  end(answer: { readonly route: string; readonly status: number; readonly code: string | undefined }): void
}

/** Puts requests and their calls into traces. */
export interface Tracer {
  startRequest(request: { readonly method: string; readonly headers: IncomingHttpHeaders }): RequestSpan
}

const ignore = (): void => undefined

/** Records nothing: hands the caller's trace on to Graph, or a fresh one that nobody records. */
export const passingTracer: Tracer = {
  startRequest({ headers }) {
    const context = readTraceContext(headers) ?? { traceId: freshTraceId(), spanId: '', flags: '00', state: undefined }
    return {
      traceId: context.traceId,
      startCall: () => ({ headers: traceHeaders({ ...context, spanId: freshSpanId() }), end: ignore }),
      end: ignore,
    }
  },
}

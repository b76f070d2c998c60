import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base'
import http, { type IncomingHttpHeaders } from 'node:http'
import https from 'node:https'
import type { ProxySettings } from '../outbound.ts'
import { version } from '../version.ts'
import { readTraceContext, traceHeaders } from './trace-context.ts'
import type { CallSpan, Tracer } from './tracer.ts'

const serviceName = 'security-copilot-connector'

/** The caller's span as a parent. */
function parentOf(headers: IncomingHttpHeaders): { parent: Context; state: string | undefined } {
  const caller = readTraceContext(headers)
  if (!caller) return { parent: ROOT_CONTEXT, state: undefined }
  const { traceId, spanId, flags, state } = caller
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return { parent: trace.setSpanContext(ROOT_CONTEXT, spanContext), state }
}

/** The parts of a URL that a span names; the port also when it is the scheme's own. Pure. */
export function addressOf(url: string) {
  const { hostname, origin, pathname, port, protocol } = new URL(url)
  return { hostname, origin, pathname, port: Number(port) || (protocol === 'https:' ? 443 : 80) }
}

export interface ExportOptions {
  /** The proxy on the way to the collector. */
  readonly proxy: ProxySettings
  /** Hears why the collector did not take spans, once for each reason in a row. */
  onFailure(reason: string): void
}

/** Sends spans by OTLP over HTTP, through the proxy if there is one. */
function createExporter({ httpProxy, httpsProxy, noProxy }: ProxySettings): SpanExporter {
  const proxyEnv = {
    ...(httpProxy !== undefined && { HTTP_PROXY: httpProxy }),
    ...(httpsProxy !== undefined && { HTTPS_PROXY: httpsProxy }),
    ...(noProxy !== undefined && { NO_PROXY: noProxy }),
  }
  return new OTLPTraceExporter({
    httpAgentOptions: protocol => {
      const Agent = protocol === 'https:' ? https.Agent : http.Agent
      return new Agent({ keepAlive: true, proxyEnv })
    },
  })
}

/** An exporter whose failures are heard: the library drops the spans in silence. */
function telling(exporter: SpanExporter, onFailure: (reason: string) => void): SpanExporter {
  let last: string | undefined
  return {
    export(spans, done) {
      exporter.export(spans, result => {
        const reason = result.error?.message
        if (reason !== undefined && reason !== last) onFailure(reason)
        last = reason
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  }
}

/**
 * Records spans and exports them by OTLP to where the `OTEL_*` environment says. Attributes are
 * those of the stable HTTP semantic conventions, but for `url.path`: a path may hold anything that
 * a caller writes, so the route's template stands for it.
 */
export function openTelemetryTracer({ proxy, onFailure }: ExportOptions): {
  tracer: Tracer
  close(): Promise<void>
} {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor(telling(createExporter(proxy), onFailure))],
  })
  const spans = provider.getTracer(serviceName, version)

  const tracer: Tracer = {
    startRequest({ method, headers }) {
      const { parent, state } = parentOf(headers)
      const attributes = { 'http.request.method': method, 'url.scheme': 'http' }
      const request = spans.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent)
      const within = trace.setSpan(parent, request)
      const { traceId } = request.spanContext()

      function startCall({ method: verb, url, operation }: Parameters<RequestedCall>[0]): CallSpan {
        const { hostname, origin, pathname, ...address } = addressOf(url)
        const call: Attributes = {
          'http.request.method': verb,
          'server.address': hostname,
          'server.port': address.port,
          'url.full': origin + pathname,
        }
        const span = spans.startSpan(
          `${verb} ${operation}`,
          { kind: SpanKind.CLIENT, attributes: call },
          within,
        )
        const { spanId, traceFlags } = span.spanContext()
        const flags = traceFlags.toString(16).padStart(2, '0')
        return {
          headers: traceHeaders({ traceId, spanId, flags, state }),
          end(status) {
            if (status !== undefined) span.setAttribute('http.response.status_code', status)
            if (status === undefined || status >= 400) {
              span.setAttribute('error.type', status === undefined ? 'no_answer' : String(status))
              span.setStatus({ code: SpanStatusCode.ERROR })
            }
            span.end()
          },
        }
      }

      return {
        traceId,
        startCall,
        end({ route, status, code }) {
          request.updateName(`${method} ${route}`)
          request.setAttributes({
            'http.route': route,
            'url.path': route,
            'http.response.status_code': status,
          })
          if (code !== undefined) request.setAttribute('error.type', code)
          // Only what the service is to blame for: OpenTelemetry leaves 4xx of a server span unset.
          if (status >= 500) request.setStatus({ code: SpanStatusCode.ERROR })
          request.end()
        },
      }
    },
  }
  return { tracer, close: () => provider.shutdown() }
}

type RequestedCall = ReturnType<Tracer['startRequest']>['startCall']

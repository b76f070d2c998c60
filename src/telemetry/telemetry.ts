import type { Config } from '../config.ts'
import { noObserver, type Observer } from './observer.ts'
import type { ExportOptions } from './open-telemetry.ts'
import { passingTracer, type Tracer } from './tracer.ts'

/** What makes the service's work visible, as a configuration asks for it. */
export interface Telemetry {
  readonly observer: Observer
  readonly tracer: Tracer
  close(): Promise<void>
}

/**
 * Metrics on `METRICS_PORT`, traces to `OTEL_EXPORTER_OTLP_ENDPOINT`: each is loaded only when it
 * is set.
 */
export async function createTelemetry(
  config: Config,
  traceExport: ExportOptions,
): Promise<Telemetry> {
  const { HOST, METRICS_PORT, OTEL_EXPORTER_OTLP_ENDPOINT } = config
  let observer = noObserver
  let tracer = passingTracer
  const closers: (() => Promise<void>)[] = []

  if (METRICS_PORT !== undefined) {
    const [{ createMetrics }, { serveMetrics }] = await Promise.all([
      import('./metrics.ts'),
      import('./metrics-server.ts'),
    ])
    const metrics = createMetrics()
    const server = await serveMetrics(metrics.registry, HOST, METRICS_PORT)
    observer = metrics.observer
    closers.push(server.close)
  }
  if (OTEL_EXPORTER_OTLP_ENDPOINT !== undefined) {
    const { openTelemetryTracer } = await import('./open-telemetry.ts')
    const openTelemetry = openTelemetryTracer(traceExport)
    tracer = openTelemetry.tracer
    closers.push(openTelemetry.close)
  }
  return {
    observer,
    tracer,
    async close() {
      await Promise.all(closers.map(close => close()))
    },
  }
}

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Observer } from './observer.ts'

/** A Submit waits up to 100 s; a call to Graph takes 15 s at most. */
const requestBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 100]
const graphBuckets = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15]

export interface Metrics {
  readonly observer: Observer
  readonly registry: Registry
}

/**
 * What happens in the service as Prometheus metrics. Labels are bounded: route templates,
 * operations, statuses, codes of the catalogue.
 */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const requests = new Counter({
    name: 'copilot_http_requests_total',
    help: 'Responses, by route, status and error code',
    labelNames: ['method', 'route', 'status', 'code'],
    registers,
  })
  const requestSeconds = new Histogram({
    name: 'copilot_http_request_duration_seconds',
    help: 'Time from a request to its response, by route; a Submit waits for its evaluation',
    labelNames: ['route'],
    buckets: requestBuckets,
    registers,
  })
  const graphCalls = new Counter({
    name: 'copilot_graph_calls_total',
    help: 'Calls to Microsoft Graph, by operation and status; none is no response',
    labelNames: ['operation', 'status'],
    registers,
  })
  const graphSeconds = new Histogram({
    name: 'copilot_graph_call_duration_seconds',
    help: 'Time from a call to Microsoft Graph to its response, by operation',
    labelNames: ['operation'],
    buckets: graphBuckets,
    registers,
  })
  const longPolls = new Gauge({
    name: 'copilot_open_long_polls',
    help: 'Long polls under way: requests that wait for their evaluation',
    registers,
  })
  const limits = new Counter({
    name: 'copilot_limit_calls_total',
    help: 'Calls that asked for their allowance, by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const keys = new Counter({
    name: 'copilot_idempotency_keys_total',
    help: 'Submits with an Idempotency-Key, by what became of the key',
    labelNames: ['outcome'],
    registers,
  })
  const tokens = new Counter({
    name: 'copilot_graph_tokens_total',
    help: 'Tokens for Microsoft Graph asked for, by where they came from',
    labelNames: ['outcome'],
    registers,
  })
  const circuits = new Gauge({
    name: 'copilot_open_circuits',
    help: 'Circuits to Microsoft Graph that are open now',
    registers,
  })
  const store = new Gauge({
    name: 'copilot_store_available',
    help: '1 while the limits are shared through the store, 0 while this replica limits by itself',
    registers,
  })
  store.set(1)
  const droppedLines = new Counter({
    name: 'copilot_log_lines_dropped_total',
    help: 'Log lines that nobody took: the reader stalls, or the disk is full',
    registers,
  })
  const evicting = new Gauge({
    name: 'copilot_store_evicts_keys',
    help: '1 while the store evicts keys when its memory is full: a prompt may then run twice',
    registers,
  })

  const observer: Observer = {
    requestEnded({ method, route, status, code = '', seconds }) {
      requests.inc({ method, route, status, code })
      requestSeconds.observe({ route }, seconds)
    },
    graphCalled({ operation, status, seconds }) {
      graphCalls.inc({ operation, status: String(status ?? 'none') })
      graphSeconds.observe({ operation }, seconds)
    },
    longPollsChanged: by => longPolls.inc(by),
    callCounted: outcome => limits.inc({ outcome }),
    keyClaimed: outcome => keys.inc({ outcome }),
    tokenObtained: outcome => tokens.inc({ outcome }),
    circuitsChanged: by => circuits.inc(by),
    logLinesDropped: lines => droppedLines.inc(lines),
    storeChanged: available => store.set(available ? 1 : 0),
    storeEvicts: evicts => evicting.set(evicts ? 1 : 0),
  }
  return { observer, registry }
}

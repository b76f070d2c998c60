import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Redis } from 'ioredis'
import { buildApp } from './app.ts'
import type { Clock } from './lib/clock.ts'
import type { Config } from './config.ts'
import type { Authenticate } from './auth/caller.ts'
import { createCopilot } from './copilot/copilot.ts'
import { createGraphClient } from './graph/client.ts'
import { createGraphRequest } from './graph/request.ts'
import { resilient } from './graph/resilience.ts'
import { memoryIdempotency } from './idempotency/memory.ts'
import { redisIdempotency } from './idempotency/redis.ts'
import { createLimiter } from './limits/create.ts'
import { noObserver, type Observer } from './telemetry/observer.ts'
import { passingTracer, type Tracer } from './telemetry/tracer.ts'
import type { ReadinessCheck } from './routes/health.ts'
import { serverLimits, type ServerLimits } from './server-limits.ts'
import { checkStore } from './redis.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly authenticate: Authenticate
  /** What readiness asks for, beside the store. */
  readonly checks?: readonly ReadinessCheck[]
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** Put on every answer. */
  readonly extraHeaders?: Readonly<Record<string, string>>
  /** What replicas share; each is on its own without it. Closed with the service. */
  readonly store?: Redis | undefined
  /** From 0 to 1, for the jitter of waits. @default Math.random */
  readonly random?: (() => number) | undefined
  /** @default hears nothing */
  readonly observer?: Observer
  /** @default hands traces on, records none */
  readonly tracer?: Tracer
  /** What one client may take of the server; the service's own when absent. */
  readonly limits?: Partial<ServerLimits>
  /** Limits on one call to Graph; the contract's when absent. */
  readonly graphLimits?: { readonly timeoutMs?: number; readonly maxBodyBytes?: number }
}

/**
 * The service that a configuration describes. It listens to nothing yet; closing it closes what it
 * opened.
 */
export function createService({
  config,
  graphLimits,
  random,
  store,
  clock,
  log,
  observer = noObserver,
  tracer = passingTracer,
  checks = [],
  limits,
  ...parts
}: ServiceOptions): FastifyInstance {
  const baseUrl = config.GRAPH_BASE_URL
  const { send, close } = createGraphRequest({ baseUrl, clock, observer, ...graphLimits })
  const graph = createGraphClient({
    send: resilient(send, { clock, random, observer }),
    baseUrl,
    workspaceId: config.WORKSPACE_ID,
  })
  const quota = { calls: config.RATE_LIMIT_CALLS, windowMs: config.RATE_LIMIT_SECONDS * 1000 }
  const limiter = createLimiter({ quota, clock, log, store, observer })
  const app = buildApp({
    ...parts,
    clock,
    log,
    observer,
    tracer,
    checks: store ? [...checks, () => checkStore(store)] : checks,
    limits: { ...serverLimits, ...limits },
    idempotency: store ? redisIdempotency(store) : memoryIdempotency(clock),
    limiter,
    quota,
    copilot: createCopilot({ graph, clock, skillMode: config.SKILL_MODE, observer }),
    publicUrl: config.PUBLIC_URL,
    submitWaitSeconds: config.SUBMIT_WAIT_SECONDS,
  })
  app.addHook('onClose', async () => {
    await close()
    await limiter.close()
    store?.disconnect()
  })
  return app
}

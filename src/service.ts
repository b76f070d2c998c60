import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { createAnswerForms } from './answer/answer.ts'
import { buildApp, serverLimits, type ServerLimits } from './app.ts'
import type { Authenticate, Caller } from './auth/caller.ts'
import { createEntra } from './auth/entra.ts'
import type { Config } from './config.ts'
import { limitedBudget, noBudget } from './copilot/budget.ts'
import { createCopilot } from './copilot/copilot.ts'
import { createPollPace } from './copilot/poll-interval.ts'
import { createGraphClient } from './graph/client.ts'
import { createGraphRequest } from './graph/request.ts'
import { resilient } from './graph/resilience.ts'
import { memoryIdempotency } from './idempotency/memory.ts'
import { redisIdempotency } from './idempotency/redis.ts'
import { rememberingIdempotency } from './idempotency/remembering.ts'
import type { IdempotencyStore } from './idempotency/store.ts'
import { systemClock, type Clock } from './lib/clock.ts'
import { fallbackLimiter } from './limits/fallback.ts'
import type { Limit } from './limits/limiter.ts'
import { memoryLimiter } from './limits/memory.ts'
import { redisLimiter } from './limits/redis.ts'
import { storeState } from './limits/store-state.ts'
import { createOutbound, type ProxySettings } from './outbound.ts'
import { readPromptbooks } from './promptbooks/promptbook-files.ts'
import { memoryRuns } from './run-store/memory.ts'
import { redisRuns } from './run-store/redis.ts'
import { connectRedis, type RedisClient } from './redis.ts'
import { watchRestarts } from './redis-restarts.ts'
import { evicts, watchRedis } from './redis-watch.ts'
import type { ReadinessCheck } from './routes/health.ts'
import { logOutput, type LogOutput } from './telemetry/log-output.ts'
import { createLog } from './telemetry/log.ts'
import type { Observer } from './telemetry/observer.ts'
import { createTelemetry } from './telemetry/telemetry.ts'
import type { Tracer } from './telemetry/tracer.ts'

/** What a service may be given in place of what it makes itself. */
export interface ServiceOverrides {
  /** @default the machine's own */
  readonly clock?: Clock
  /** @default to standard output, at `LOG_LEVEL` */
  readonly log?: FastifyBaseLogger
  /** @default metrics, if `METRICS_PORT` is set */
  readonly observer?: Observer
  /** @default traces, if `OTEL_EXPORTER_OTLP_ENDPOINT` is set */
  readonly tracer?: Tracer
  /** Finds out who calls. @default by Entra */
  readonly authenticate?: Authenticate
  /** Who a call without credentials is taken for. @default it is refused */
  readonly anonymous?: Caller
  /** How long Entra may take, in ms. @default 5_000 */
  readonly entraTimeoutMs?: number
  /** The proxy on the way out. @default none */
  readonly proxy?: ProxySettings
  /** From 0 to 1, for the jitter of waits. @default Math.random */
  readonly random?: () => number
  /** Limits on one call to Graph. @default those of docs/api.md#7-towards-graph */
  readonly graphLimits?: { readonly timeoutMs?: number; readonly maxBodyBytes?: number }
  /** What readiness asks for, beside Entra's keys and Redis. */
  readonly checks?: readonly ReadinessCheck[]
  /** What one client may take of the server. */
  readonly serverLimits?: Partial<ServerLimits>
  /** A paragraph that the API's documents begin with. */
  readonly notice?: string
  /** Put on every response. */
  readonly extraHeaders?: Readonly<Record<string, string>>
}

/** A service that does not listen yet. */
export interface Service {
  readonly app: FastifyInstance
  /** Listens where the configuration says, or here. @returns the URL. */
  listen(at?: { readonly host: string; readonly port: number }): Promise<string>
  /** From now on new calls are refused and waiting ones answered; the listener stays open. */
  stop(): void
  /** Answers whoever is still under way 503 `ShuttingDown`, with the ids of what exists. */
  cut(): void
  /** Writes an unforeseen error to the log. */
  fatal(error: unknown): void
  /** Closes the listener, then everything that createService() opened, in reverse order; once. */
  close(): Promise<void>
}

const hourMs = 60 * 60_000

/** The keys in Redis of the evaluations that identities started. */
const budgetPrefix = 'evaluations'

/** How long a service that closes waits for whoever reads its log, in ms. */
const flushMs = 500

/** Idempotency keys, shared through Redis, or kept by this replica alone. */
function createIdempotency(redis: RedisClient | undefined, clock: Clock): IdempotencyStore {
  if (!redis) return memoryIdempotency(clock)
  const remembering = rememberingIdempotency(redisIdempotency(redis), clock)
  watchRestarts(redis, () => void remembering.restore())
  return remembering
}

/** What limiters are made with. */
interface LimitParts {
  readonly redis: RedisClient | undefined
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly observer: Observer
}

/**
 * Calls of a connection, and evaluations of an identity if they are bounded: shared through Redis,
 * or kept by this replica alone; and an eye on Redis.
 */
function createLimits(config: Config, { redis, clock, log, observer }: LimitParts) {
  const { RATE_LIMIT_CALLS, RATE_LIMIT_SECONDS, EVALUATIONS_PER_HOUR } = config
  const store = storeState({
    clock,
    onChange(available, reason) {
      observer.storeChanged(available)
      if (available) log.info('limits: the store is back, replicas share their limits again')
      else log.warn({ err: reason }, 'limits: the store is away, this replica limits by itself')
    },
  })

  function createLimit(calls: number, windowMs: number, prefix?: string): Limit {
    const quota = { calls, windowMs }
    const local = memoryLimiter(quota, clock)
    if (!redis) return { quota, limiter: local }
    const shared = redisLimiter(redis, quota, prefix)
    return { quota, limiter: fallbackLimiter({ shared, local, windowMs, store }) }
  }

  const watch =
    redis &&
    watchRedis({
      redis,
      onBeat: store.answered,
      onPolicy(policy) {
        observer.storeEvicts(evicts(policy))
        if (!evicts(policy)) return
        const problem = 'redis: it evicts keys when its memory is full, and a prompt may run twice'
        log.warn({ maxmemoryPolicy: policy }, `${problem}: set maxmemory-policy to noeviction`)
      },
    })
  return {
    allowance: createLimit(RATE_LIMIT_CALLS, RATE_LIMIT_SECONDS * 1000),
    budget:
      EVALUATIONS_PER_HOUR === undefined
        ? undefined
        : createLimit(EVALUATIONS_PER_HOUR, hourMs, budgetPrefix),
    watch,
  }
}

/**
 * The service that a configuration describes, with everything it needs: log, telemetry, Redis, the
 * connections to Graph and Entra. Whatever is opened here is closed here.
 * @throws Error when something cannot be opened; what was opened before is closed again.
 */
export async function createService(
  config: Config,
  overrides: ServiceOverrides = {},
): Promise<Service> {
  const { clock = systemClock, random, checks = [] } = overrides
  const opened: (() => Promise<unknown>)[] = []
  let closed: Promise<void> | undefined
  async function closeOpened(): Promise<void> {
    for (const close of opened.toReversed()) await close()
  }

  const telemetry = await createTelemetry(config, {
    proxy: overrides.proxy ?? {},
    onFailure: reason => log.warn({ reason }, 'traces: the collector does not take them'),
  })
  const { PROMPTBOOKS_PATH: folder } = config
  const promptbooks = folder === undefined ? [] : await readPromptbooks(folder)
  opened.push(telemetry.close)
  const { observer = telemetry.observer, tracer = telemetry.tracer } = overrides

  const output = overrides.log
    ? undefined
    : logOutput({ onDropped: lines => observer.logLinesDropped(lines) })
  const log = overrides.log ?? createLog(config.LOG_LEVEL, output as LogOutput)
  if (output) opened.push(() => output.flush(flushMs))

  const redis = await connectRedis(config, reason =>
    log.warn({ reason }, 'redis: the store is out of reach, or refuses'),
  )
  if (redis) opened.push(async () => redis.disconnect())

  const outbound = createOutbound(overrides.proxy ?? {})
  opened.push(outbound.close)

  const { authenticate, checkKeys } = createEntra({
    config,
    clock,
    fetch: outbound.fetch,
    observer,
    anonymous: overrides.anonymous,
    timeoutMs: overrides.entraTimeoutMs,
  })

  const { allowance, budget, watch } = createLimits(config, { redis, clock, log, observer })
  opened.push(allowance.limiter.close, async () => budget?.limiter.close())
  opened.push(async () => watch?.close())

  const answerForms = createAnswerForms()
  opened.push(answerForms.close)

  const baseUrl = config.GRAPH_BASE_URL
  const request = createGraphRequest({
    baseUrl,
    clock,
    createDispatcher: outbound.createDispatcher,
    observer,
    ...overrides.graphLimits,
  })
  opened.push(request.close)
  const pace = createPollPace()
  const copilot = createCopilot({
    pace,
    graph: createGraphClient({
      send: resilient(request.send, { clock, random, observer }),
      baseUrl,
      workspaceId: config.WORKSPACE_ID,
    }),
    idempotency: createIdempotency(redis, clock),
    runs: redis ? redisRuns(redis) : memoryRuns(clock),
    clock,
    skillMode: config.SKILL_MODE,
    budget: budget ? limitedBudget(budget.limiter) : noBudget,
    observer,
    random,
  })
  opened.push(copilot.close)

  const app = buildApp({
    authenticate: overrides.authenticate ?? authenticate,
    copilot,
    pace,
    answerForms,
    ...allowance,
    budget,
    workspaceId: config.WORKSPACE_ID,
    documents: {
      contact: {
        name: config.CONNECTOR_CONTACT_NAME,
        url: config.CONNECTOR_CONTACT_URL,
        email: config.CONNECTOR_CONTACT_EMAIL,
      },
      anonymousAllowed: overrides.anonymous !== undefined,
      notice: overrides.notice,
    },
    watchPage: config.WATCH_PAGE === 'on' || overrides.anonymous !== undefined,
    promptbooks,
    clock,
    log,
    observer,
    tracer,
    // Who is authenticated otherwise needs no keys.
    checks: [
      ...(overrides.authenticate ? [] : [checkKeys]),
      ...(watch ? [watch.check] : []),
      ...checks,
    ],
    limits: { ...serverLimits, ...overrides.serverLimits },
    publicUrl: config.PUBLIC_URL,
    submitWaitSeconds: config.SUBMIT_WAIT_SECONDS,
    resultWaitSeconds: config.RESULT_WAIT_SECONDS,
    extraHeaders: overrides.extraHeaders ?? {},
  })
  opened.push(() => app.close())

  return {
    app,
    listen: (at = { host: config.HOST, port: config.PORT }) => app.listen(at),
    stop() {
      app.shutdown.stop()
      void copilot.close()
    },
    cut: () => app.shutdown.cut(),
    fatal: error => log.fatal({ err: error }, 'unforeseen error: the process ends'),
    close: () => (closed ??= closeOpened()),
  }
}

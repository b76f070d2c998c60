import { randomUUID } from 'node:crypto'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Clock } from './lib/clock.ts'
import type { Authenticate } from './auth/caller.ts'
import { evaluationRoutes } from './routes/fetch-prompt-status.ts'
import { promptbookRoute } from './routes/fetch-promptbook-status.ts'
import { named } from './routes/schemas.ts'
import { submitRoute } from './routes/submit-prompt.ts'
import type { Copilot } from './copilot/copilot.ts'
import { documents } from './openapi/documents.ts'
import type { IdempotencyStore } from './idempotency/store.ts'
import type { Limiter, Quota } from './limits/limiter.ts'
import type { Observer } from './telemetry/observer.ts'
import type { Tracer } from './telemetry/tracer.ts'
import { answerHeadersPlugin } from './plugins/response-headers.ts'
import { connection } from './plugins/authentication.ts'
import { answerClientError, answerFrameworkError, errorHandler } from './plugins/error-handler.ts'
import { healthRoutes, named as namedHealth, type ReadinessCheck } from './routes/health.ts'
import { rateLimit } from './plugins/rate-limit.ts'
import { requestLog } from './plugins/request-log.ts'
import { shutdown } from './plugins/shutdown.ts'
import { unknownRoutes } from './plugins/unknown-routes.ts'
import type { ServerLimits } from './server-limits.ts'
import { compilersFactory } from './plugins/validation.ts'
import { wellFormed } from './plugins/well-formed.ts'

/** What the service is made of. */
export interface Parts {
  readonly copilot: Copilot
  readonly authenticate: Authenticate
  readonly idempotency: IdempotencyStore
  readonly limiter: Limiter
  readonly quota: Quota
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly observer: Observer
  readonly tracer: Tracer
  /** What readiness asks for. */
  readonly checks: readonly ReadinessCheck[]
  readonly limits: ServerLimits
  /** Base of the URLs handed out, without a closing slash. */
  readonly publicUrl: string
  /** How long Submit waits when the caller does not say. */
  readonly submitWaitSeconds: number
  /** Put on every answer. */
  readonly extraHeaders?: Readonly<Record<string, string>>
}

/**
 * A path may be as long as Node lets a request line be: a long id is then refused as an id, with a
 * reason.
 */
const maxParamLength = 16_384

/** Puts the service together. Reads no environment and opens no socket. */
export function buildApp({
  copilot,
  authenticate,
  idempotency,
  limiter,
  quota,
  clock,
  log,
  observer,
  tracer,
  checks,
  limits,
  extraHeaders = {},
  ...wire
}: Parts): FastifyInstance {
  const answers = { clock, observer, extraHeaders }
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    routerOptions: { maxParamLength },
    // Fastify's types expect compilers of JSON Schema.
    schemaController: { compilersFactory: compilersFactory as object },
    http: {
      requireHostHeader: false,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.maxHeaderBytes,
    },
    // Whoever still gets in while the service stops is answered in our words.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      answerFrameworkError(error, request, reply, answers)
    },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, answers),
  })
  app.server.maxConnections = limits.maxConnections
  app.removeContentTypeParser('text/plain')

  app.register(answerHeadersPlugin, answers)
  app.register(errorHandler, answers)
  app.register(requestLog, { clock, observer, tracer })
  app.register(shutdown)
  app.register(wellFormed)
  app.register(unknownRoutes)
  app.register(documents, { named: { ...named, ...namedHealth }, publicUrl: wire.publicUrl })
  app.register(healthRoutes, { checks })
  app.register(async actions => {
    actions.addHook('onRequest', (_request, _reply, done) => {
      app.shutdown.refuse()
      done()
    })
    actions.register(connection, { authenticate })
    actions.register(rateLimit, { limiter, quota, observer })
    // The ids in the path, valid by now, for the request's line in the log.
    actions.addHook('preHandler', ({ journal, params }, _reply, done) => {
      Object.assign(journal, params)
      done()
    })
    actions.register(submitRoute, { copilot, idempotency, clock, ...wire })
    actions.register(evaluationRoutes, { copilot, clock, ...wire })
    actions.register(promptbookRoute, { copilot })
  })
  return app
}

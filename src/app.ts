import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { AnswerForms } from './answer/answer.ts'
import type { Authenticate } from './auth/caller.ts'
import type { Copilot } from './copilot/copilot.ts'
import type { PollPace } from './copilot/poll-interval.ts'
import type { Clock } from './lib/clock.ts'
import type { Limit, Limiter, Quota } from './limits/limiter.ts'
import { documents, type DocumentsOptions } from './openapi/documents.ts'
import { authentication } from './plugins/authentication.ts'
import { body } from './plugins/body.ts'
import { bytes } from './plugins/bytes.ts'
import { malformedHttp } from './plugins/error-body.ts'
import { errorHandler, sendClientError, sendFrameworkError } from './plugins/error-handler.ts'
import { rateLimit } from './plugins/rate-limit.ts'
import { requestLog } from './plugins/request-log.ts'
import { responseHeadersPlugin } from './plugins/response-headers.ts'
import { shutdown } from './plugins/shutdown.ts'
import { unknownRoutes } from './plugins/unknown-routes.ts'
import { compilersFactory } from './plugins/validation.ts'
import { wellFormed } from './plugins/well-formed.ts'
import { fetchAnswerRoute } from './routes/fetch-answer.ts'
import type { Promptbook } from './promptbooks/book.ts'
import { fetchPromptStatusRoute } from './routes/fetch-prompt-status.ts'
import { fetchPromptbookStatusRoute } from './routes/fetch-promptbook-status.ts'
import { getConnectionRoute } from './routes/get-connection.ts'
import { healthRoutes, named as namedHealth, type ReadinessCheck } from './routes/health.ts'
import { listPluginsRoute } from './routes/list-plugins.ts'
import { listPromptbooksRoutes } from './routes/list-promptbooks.ts'
import { pollPromptRoutes } from './routes/poll-prompt.ts'
import { pages } from './routes/pages.ts'
import { pollPromptbookRunRoutes } from './routes/poll-promptbook-run.ts'
import { runPromptbookRoute } from './routes/post-promptbook-run.ts'
import { named } from './routes/schemas.ts'
import { submitRoutes } from './routes/submit-prompt.ts'
import type { Observer } from './telemetry/observer.ts'
import type { Tracer } from './telemetry/tracer.ts'

/** What one client may take of the server, and for how long. Times in ms. */
export interface ServerLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number
  /**
   * From the first byte to the end of the body. The response may take longer: a Submit waits up to
   * 100 s.
   */
  readonly requestTimeoutMs: number
  /** How often both are looked at. */
  readonly checkIntervalMs: number
  /**
   * An idle connection is kept so long: longer than balancers keep theirs (60 s, as a rule), so
   * that it is they who close.
   */
  readonly keepAliveTimeoutMs: number
  /** Connections at the same time; further ones are closed at once. */
  readonly maxConnections: number
  /** Path and headers together. */
  readonly maxHeaderBytes: number
  readonly maxBodyBytes: number
  /** Bodies, what Graph sent and responses that are not read yet: of all, and of one connection. */
  readonly maxHeldBytes: number
  readonly maxConnectionBytes: number
}

export const serverLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 2000,
  keepAliveTimeoutMs: 75_000,
  maxConnections: 10_000,
  maxHeaderBytes: 32 * 1024,
  maxBodyBytes: 1024 * 1024,
  maxHeldBytes: 96 * 1024 * 1024,
  maxConnectionBytes: 48 * 1024 * 1024,
}

/** What the service is made of. */
export interface Parts {
  readonly copilot: Copilot
  readonly pace: PollPace
  readonly promptbooks: readonly Promptbook[]
  readonly authenticate: Authenticate
  readonly answerForms: AnswerForms
  readonly limiter: Limiter
  readonly quota: Quota
  /** Evaluations that an identity may start. @default no bound */
  readonly budget?: Limit | undefined
  readonly workspaceId: string
  /** Who answers for this deployment, and what its documents say. */
  readonly documents: Omit<DocumentsOptions, 'named' | 'publicUrl'>
  /** Whether `/watch` is served. */
  readonly watchPage: boolean
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly observer: Observer
  readonly tracer: Tracer
  /** What readiness asks for. */
  readonly checks: readonly ReadinessCheck[]
  readonly limits: ServerLimits
  /** Base of the URLs handed out, without a closing slash. */
  readonly publicUrl: string
  /** How long Submit, and a poll of its result, wait when the caller does not say. */
  readonly submitWaitSeconds: number
  readonly resultWaitSeconds: number
  /** Put on every response. */
  readonly extraHeaders: Readonly<Record<string, string>>
}

/**
 * A path may be as long as Node lets a request line be: a long id is then refused as an id, with a
 * reason.
 */
const maxParamLength = 32 * 1024

/** Puts the service together. Reads no environment and opens no socket. */
export function buildApp({
  copilot,
  pace,
  answerForms,
  promptbooks,
  authenticate,
  limiter,
  quota,
  budget,
  clock,
  log,
  observer,
  tracer,
  checks,
  limits,
  extraHeaders,
  ...wire
}: Parts): FastifyInstance {
  const responses = { clock, observer, publicUrl: wire.publicUrl, extraHeaders }
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // A closing or doubled slash is forgiven.
    routerOptions: { maxParamLength, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
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
      sendFrameworkError(error, request, reply, responses)
    },
    clientErrorHandler: (error, socket) => sendClientError(error, socket, responses),
  })
  // Node would hang up on it without a word.
  app.server.on('connect', (_request, socket) => {
    sendClientError(malformedHttp, socket as Socket, responses)
  })
  app.server.maxConnections = limits.maxConnections
  // Read by the plugin `body`, within the actions; nothing else has one.
  app.removeAllContentTypeParsers()

  app.register(responseHeadersPlugin, responses)
  app.register(errorHandler, responses)
  app.register(requestLog, { clock, observer, tracer })
  app.register(shutdown)
  app.register(wellFormed)
  app.register(unknownRoutes)
  app.register(documents, {
    ...wire.documents,
    named: { ...named, ...namedHealth },
    publicUrl: wire.publicUrl,
  })
  app.register(pages, {
    publicUrl: wire.publicUrl,
    watchPage: wire.watchPage,
    anonymousAllowed: wire.documents.anonymousAllowed ?? false,
    notice: wire.documents.notice,
  })
  app.register(healthRoutes, { checks })
  app.register(async actions => {
    actions.addHook('onRequest', (_request, reply, done) => {
      app.shutdown.letIn(reply)
      done(app.shutdown.refusal())
    })
    actions.register(authentication, { authenticate, clock })
    actions.register(rateLimit, { limiter, quota, observer, budget })
    actions.register(bytes, {
      limits: { total: limits.maxHeldBytes, perConnection: limits.maxConnectionBytes },
    })
    actions.register(body, { maxBodyBytes: limits.maxBodyBytes })
    // The ids in the path, valid by now, for the request's line in the log; no other part of it,
    // since the id of a promptbook run is a secret of its caller.
    actions.addHook('preHandler', ({ journal, params }, _reply, done) => {
      const { sessionId, promptId, evaluationId } = params as typeof journal.named
      journal.named = { sessionId, promptId, evaluationId }
      done()
    })
    actions.register(submitRoutes, { copilot, clock, pace, ...wire })
    actions.register(fetchPromptStatusRoute, { copilot })
    actions.register(fetchAnswerRoute, { copilot, answerForms })
    actions.register(getConnectionRoute, {
      copilot,
      workspaceId: wire.workspaceId,
      allowance: { limiter, quota },
      budget,
    })
    actions.register(listPluginsRoute, { copilot })
    actions.register(pollPromptRoutes, { copilot, clock, pace, ...wire })
    actions.register(fetchPromptbookStatusRoute, { copilot })
    actions.register(runPromptbookRoute, { copilot, clock, pace, promptbooks, ...wire })
    actions.register(pollPromptbookRunRoutes, { copilot, clock, pace, ...wire })
    actions.register(listPromptbooksRoutes, { promptbooks })
  })
  return app
}

import { randomUUID } from 'node:crypto'
import { Pool } from 'undici'
import type { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import type { Connection } from '../auth/caller.ts'
import { ConnectorError, type ErrorCode } from '../errors.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import { exchange, LateAnswer, type Answer } from './http.ts'
import { refusal, single } from './graph-errors.ts'
import type { Repeat } from './retry.ts'

/** The operations of Graph's API that are called, as logs and metrics name them. */
export type Operation =
  | 'listPlugins'
  | 'createSession'
  | 'listPrompts'
  | 'createPrompt'
  | 'getPrompt'
  | 'listEvaluations'
  | 'createEvaluation'
  | 'getEvaluation'

/** One call to Graph. */
export interface GraphCall<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST'
  /** Below the base URL, starting with "/". */
  readonly path: string
  readonly body?: unknown
  /** What is read of the answer. */
  readonly schema: Schema
  readonly operation: Operation
  /** "create the session": completes the sentence "Cannot …" of an error. */
  readonly action: string
  /** The code of a 404. */
  readonly notFound: ErrorCode
  /** Whether it may be repeated. */
  readonly repeat: Repeat
}

/** Sends one call as `connection` and returns what the schema reads of the answer. */
export type SendToGraph = <Schema extends z.ZodType>(
  connection: Connection,
  call: GraphCall<Schema>,
) => Promise<z.output<Schema>>

export interface GraphRequestOptions {
  /** Root of Graph, without a closing slash. */
  readonly baseUrl: string
  readonly clock: Clock
  /** @default hears nothing */
  readonly observer?: Observer | undefined
  /** @default 15_000 (contract, section 7) */
  readonly timeoutMs?: number | undefined
  /** @default 8 MiB (contract, section 7) */
  readonly maxBodyBytes?: number | undefined
}

/** Suggested wait when Graph cannot be reached, in seconds. */
const unreachableRetryAfterSeconds = 10

/** Connections kept to Graph. More calls than that at once wait for one another. */
const maxConnections = 128

/**
 * The value of a JSON text, or `undefined`: the parser's own message would quote the text, so it
 * goes no further.
 */
function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Errors of a connection that never was: the call cannot have reached Graph. */
const notSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Translates what undici threw: nothing, or nothing whole, came back. */
function transportError(action: string, cause: unknown): ConnectorError {
  if (cause instanceof LateAnswer) {
    return new ConnectorError('GraphTimeout', `Cannot ${action}: Microsoft Graph took too long`, {
      cause,
      notSent: !cause.sent,
    })
  }
  return new ConnectorError(
    'GraphUnavailable',
    `Cannot ${action}: no connection to Microsoft Graph`,
    {
      cause,
      retryAfterSeconds: unreachableRetryAfterSeconds,
      notSent: notSentCodes.has(String((cause as { code?: unknown }).code)),
    },
  )
}

/**
 * The one road to Graph: keep-alive connections, a fresh `client-request-id`, a deadline for the
 * whole call, a cap on the body, no redirects, and every failure a ConnectorError. One call is one
 * attempt; whoever repeats calls wraps this.
 */
export function createGraphRequest({
  baseUrl,
  clock,
  observer = noObserver,
  timeoutMs = 15_000,
  maxBodyBytes = 8 * 1024 * 1024,
}: GraphRequestOptions): { send: SendToGraph; close(): Promise<void> } {
  const { origin, pathname } = new URL(baseUrl)
  const basePath = pathname.replace(/\/$/, '')
  const limits = { timeoutMs, maxBodyBytes }
  // HTTP/1.1: measured no dearer than HTTP/2, and one lost connection then loses one call.
  const pool = new Pool(origin, {
    connections: maxConnections,
    allowH2: false,
    keepAliveTimeout: 30_000,
  })

  async function attempt(
    token: string,
    { method, path, body, action }: GraphCall<z.ZodType>,
    traceHeaders: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'client-request-id': randomUUID(),
      ...traceHeaders,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const text = body === undefined ? null : JSON.stringify(body)
    try {
      return await exchange(pool, { method, path: basePath + path, headers, body: text }, limits)
    } catch (cause) {
      throw transportError(action, cause)
    }
  }

  /** One attempt, written down: in the request's journal and trace, and for the observer. */
  async function recorded(token: string, { journal }: Connection, call: GraphCall<z.ZodType>) {
    const { method, path, operation } = call
    const span = journal.span.startCall({ method, url: baseUrl + path, operation })
    const began = clock.now()
    let status: number | undefined
    try {
      const answer = await attempt(token, call, span.headers)
      status = answer.status
      journal.graphRequestId = single(answer.headers['request-id'])
      return answer
    } finally {
      const ms = clock.now() - began
      journal.graphCalls += 1
      journal.graphMs += ms
      span.end(status)
      observer.graphCalled({ operation, status, seconds: ms / 1000 })
    }
  }

  return {
    async send(connection, call) {
      const token = await connection.graphToken()
      const answer = await recorded(token, connection, call)
      const { action, notFound, schema } = call
      if (answer.status === 401) connection.dropGraphToken()
      const body = parseJson(answer.text)
      if (answer.status >= 400)
        throw refusal({ ...answer, body }, { action, notFound, token, now: clock.now() })
      const parsed = schema.safeParse(answer.status < 300 ? body : undefined)
      if (parsed.success) return parsed.data
      throw new ConnectorError(
        'GraphInvalidResponse',
        `Cannot ${action}: Microsoft Graph's answer is not readable`,
        {
          cause: parsed.error,
          graph: { status: answer.status },
        },
      )
    },
    close: () => pool.close(),
  }
}

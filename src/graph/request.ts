import { randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { z } from 'zod'
import type { Clock } from '../lib/clock.ts'
import { ConnectorError, type ErrorCode } from '../errors.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import type { GraphContext } from './context.ts'
import { graphError, readRequestId } from './graph-errors.ts'
import { LateResponse, NoMemory, NotSent, sendHttp, type HttpResponse } from './http.ts'
import type { Repeat } from './retry.ts'

/** The operations of Graph's API that are called, as logs and metrics name them. */
export type GraphOperation =
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
  /** What is read of the response. */
  readonly schema: Schema
  readonly operation: GraphOperation
  /** "create the session": completes the sentence "Cannot …" of an error. */
  readonly action: string
  /** The code of a 404. */
  readonly notFound: ErrorCode
  /** Whether it may be repeated. */
  readonly repeat: Repeat
  /** Made even while the circuit is open. @default false */
  readonly despiteCircuit?: boolean
  /** Fence: asked when the request is about to leave, whether it still may. @default it may */
  readonly maySend?: (() => boolean) | undefined
}

/** Sends one call for the caller of `context` and returns what the schema reads of the response. */
export type SendToGraph = <Schema extends z.ZodType>(
  context: GraphContext,
  call: GraphCall<Schema>,
) => Promise<z.output<Schema>>

export interface GraphRequestOptions {
  /** Root of Graph, without a closing slash. */
  readonly baseUrl: string
  readonly clock: Clock
  /** Connections to Graph: made here, closed here. */
  createDispatcher(origin: string): Dispatcher
  /** @default hears nothing */
  readonly observer?: Observer | undefined
  /** @default 15_000 (docs/api.md#7-towards-graph) */
  readonly timeoutMs?: number | undefined
  /** @default 8 MiB (docs/api.md#7-towards-graph) */
  readonly maxBodyBytes?: number | undefined
}

/** Connections kept to Graph. More calls than that at once wait for one another. */
export const maxConnections = 256

/** A byte of a response takes so many while it is read: as it came, and as text. */
const weight = 2

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

/** The text of a caller's that a call sends, if it sends one. */
function textSent(body: unknown): string {
  const { content, displayName } = (body ?? {}) as { content?: string; displayName?: string }
  return content ?? displayName ?? ''
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
  if (cause instanceof NoMemory) {
    return new ConnectorError(
      'Overloaded',
      `Cannot ${action}: the service has as much in hand as it can hold`,
      {},
      { cause, ours: true },
    )
  }
  if (cause instanceof NotSent) {
    return new ConnectorError(
      'GraphUnavailable',
      `Cannot ${action}: it was not sent any more`,
      {},
      { cause, notSent: true, final: true, ours: true, fenced: true },
    )
  }
  if (cause instanceof LateResponse) {
    return new ConnectorError(
      'GraphTimeout',
      `Cannot ${action}: Microsoft Graph took too long`,
      {},
      {
        cause,
        notSent: !cause.sent,
        // Without a free connection of ours it was not Graph that was late.
        ours: !cause.sent,
      },
    )
  }
  return new ConnectorError(
    'GraphUnavailable',
    `Cannot ${action}: no connection to Microsoft Graph`,
    {},
    {
      cause,
      notSent: notSentCodes.has(String((cause as { code?: unknown }).code)),
    },
  )
}

/**
 * The one way to Graph: keep-alive connections, a fresh `client-request-id`, a deadline for the
 * whole call, a cap on the body, no redirects, and every failure a ConnectorError. One call is one
 * attempt; whoever repeats calls wraps this.
 */
export function createGraphRequest({
  baseUrl,
  clock,
  createDispatcher,
  observer = noObserver,
  timeoutMs = 15_000,
  maxBodyBytes = 8 * 1024 * 1024,
}: GraphRequestOptions): { send: SendToGraph; close(): Promise<void> } {
  const { origin, pathname } = new URL(baseUrl)
  const basePath = pathname.replace(/\/$/, '')
  const limits = { timeoutMs, maxBodyBytes }
  // HTTP/1.1: measured no dearer than HTTP/2, and one lost connection then loses one call.
  const pool = createDispatcher(origin)

  async function attempt(
    token: string,
    { method, path, body, action, maySend }: GraphCall<z.ZodType>,
    { signal, bytes }: GraphContext,
    traceHeaders: Readonly<Record<string, string>>,
  ): Promise<HttpResponse> {
    const headers = {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      'client-request-id': randomUUID(),
      ...traceHeaders,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const text = body === undefined ? null : JSON.stringify(body)
    // What creates something is not given up for want of memory: it has run by then.
    const metered = method === 'GET' ? bytes : undefined
    const hold = metered && ((length: number) => metered.hold(weight * length))
    try {
      return await sendHttp(
        pool,
        { origin, method, path: basePath + path, headers, body: text },
        { ...limits, signal, hold, maySend },
      )
    } catch (cause) {
      throw transportError(action, cause)
    }
  }

  /** One attempt, written down: in the request's journal and trace, and for the observer. */
  async function recorded(token: string, context: GraphContext, call: GraphCall<z.ZodType>) {
    const { method, path, operation } = call
    const { journal } = context
    const span = journal.span.startCall({ method, url: baseUrl + path, operation })
    const began = clock.monotonic()
    let status: number | undefined
    try {
      const response = await attempt(token, call, context, span.headers)
      status = response.status
      journal.graphRequestId = readRequestId(response.headers['request-id'], token)
      return response
    } finally {
      const ms = clock.monotonic() - began
      journal.graphCalls += 1
      journal.graphMs += ms
      span.end(status)
      observer.graphCalled({ operation, status, seconds: ms / 1000 })
    }
  }

  return {
    async send(context, call) {
      const token = await context.caller.graphToken()
      const response = await recorded(token, context, call)
      const { action, notFound, schema } = call
      if (response.status === 401) context.caller.dropGraphToken()
      const body = parseJson(response.text)
      if (response.status >= 400)
        throw graphError(
          { ...response, body },
          {
            action,
            notFound,
            token,
            sent: textSent(call.body) || (context.text ?? ''),
            now: clock.now(),
          },
        )
      const parsed = schema.safeParse(response.status < 300 ? body : undefined)
      if (parsed.success) return parsed.data
      throw new ConnectorError(
        'GraphInvalidResponse',
        `Cannot ${action}: Microsoft Graph's response is not readable`,
        { graph: { status: response.status } },
        { cause: parsed.error },
      )
    },
    // Whoever still waits for a call is answered by now.
    close: () => pool.destroy(),
  }
}

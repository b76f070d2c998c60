import { ConnectorError, type ErrorCode } from '../errors.ts'
import { invalidRequest } from './validation.ts'

/** The request that an error refuses. */
export interface RefusedRequest {
  readonly requestId: string
  readonly clientRequestId: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  /** Also repeats the message as `errors` at the top, as the clients of the route read it. */
  readonly errorsAtTop?: boolean | undefined
}

export interface ErrorResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

/** Errors that Fastify and Node raise before a route runs, as rows of our catalogue. */
const frameworkErrors: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'PayloadTooLarge',
    'Cannot accept the request: the body is over 1 MiB',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'UnsupportedMediaType',
    'Cannot accept the request: the body must be application/json',
  ],
  HPE_HEADER_OVERFLOW: [
    'HeadersTooLarge',
    'Cannot accept the request: its headers are over 32 KiB',
  ],
}

const malformedJson = invalidRequest([
  { code: 'MalformedJson', message: 'body is not well-formed JSON', target: 'body' },
])

/** What came is no HTTP request that can be answered otherwise. */
export const malformedHttp = new ConnectorError(
  'InvalidRequest',
  'Cannot read the request: it is not well-formed HTTP',
  {
    details: [
      { code: 'InvalidValue', message: 'request is not well-formed HTTP', target: 'request' },
    ],
  },
)

/**
 * Anything thrown, as the error a caller sees. What is unknown becomes `InternalError` and shows
 * nothing of itself. Pure.
 */
export function toConnectorError(error: unknown): ConnectorError {
  if (error instanceof ConnectorError || !(error instanceof Error))
    return ConnectorError.from(error)
  const { code = '', statusCode = 500 } = error as Error & { code?: string; statusCode?: number }
  const row = frameworkErrors[code]
  if (row) return new ConnectorError(...row)
  if (code.startsWith('HPE_') || code.startsWith('ERR_HTTP_') || code === 'FST_ERR_BAD_URL')
    return malformedHttp
  // What is left of 400 is the body's parser: empty, cut short, not JSON, or with a "__proto__"
  // key.
  return statusCode === 400 ? malformedJson : ConnectorError.from(error)
}

/** The response of an error (docs/api.md#8-errors). Pure. */
export function errorResponse(
  error: ConnectorError,
  { requestId, clientRequestId, now, errorsAtTop }: RefusedRequest,
): ErrorResponse {
  const { code, status, message, shown } = error
  const { sessionId, promptId, evaluationId, target, details, graph, retryAfterSeconds, headers } =
    shown
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-ms-error-code': code,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      ...headers,
    },
    // JSON.stringify leaves out what is undefined.
    body: {
      sessionId,
      promptId,
      evaluationId,
      errors: errorsAtTop ? [message] : undefined,
      error: {
        code,
        message,
        target,
        details,
        innerError: {
          date: new Date(now).toISOString(),
          'request-id': requestId,
          'client-request-id': clientRequestId ?? requestId,
          graph,
        },
      },
    },
  }
}

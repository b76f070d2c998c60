/**
 * Every error a caller can receive: code and HTTP status. A published code never changes;
 * docs/errors.md lists the same rows.
 */
export const catalogue = {
  InvalidRequest: 400,
  PluginNotEnabled: 400,
  AuthenticationRequired: 401,
  InvalidToken: 401,
  InvalidClientCredentials: 401,
  InsufficientClaims: 401,
  TenantNotAllowed: 403,
  ScopeMissing: 403,
  AppOnlyTokenNotSupported: 403,
  GraphForbidden: 403,
  NotFound: 404,
  SessionNotFound: 404,
  PromptNotFound: 404,
  EvaluationNotFound: 404,
  MethodNotAllowed: 405,
  PayloadTooLarge: 413,
  UnsupportedMediaType: 415,
  IdempotencyKeyReused: 422,
  RateLimitExceeded: 429,
  GraphThrottled: 429,
  HeadersTooLarge: 431,
  InternalError: 500,
  EntraMisconfigured: 500,
  GraphInvalidResponse: 502,
  GraphError: 502,
  SubmissionUnconfirmed: 502,
  GraphUnavailable: 503,
  EntraUnavailable: 503,
  StoreUnavailable: 503,
  ShuttingDown: 503,
  GraphTimeout: 504,
} as const satisfies Record<string, number>

/** The stable code of an error. */
export type ErrorCode = keyof typeof catalogue

/** One thing that is wrong with a request, and where. */
export interface ErrorDetail {
  readonly code: 'Required' | 'InvalidValue' | 'UnknownKey' | 'MalformedJson' | 'PluginNotEnabled'
  readonly message: string
  readonly target: string
}

/** What Graph said when it refused: shown in `innerError.graph`. */
export interface GraphRefusal {
  readonly status: number
  readonly code?: string
  readonly message?: string
  readonly 'request-id'?: string
}

/** What is already created, so that a caller can go on from it. */
export interface CreatedIds {
  readonly sessionId?: string
  readonly promptId?: string
}

/**
 * What an error may carry beside its code and message; shown to the caller unless it says
 * otherwise.
 */
export interface ErrorFacts extends CreatedIds {
  readonly target?: string
  readonly details?: readonly ErrorDetail[]
  readonly graph?: GraphRefusal
  /** Whole seconds, sent as `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Further response headers: `Allow`, `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>
  /** How long Graph itself asks to wait, in seconds; not shown. */
  readonly suggestedWaitSeconds?: number | undefined
  /** Nothing was sent, so nothing can have run; not shown. */
  readonly notSent?: boolean
  /** Repeating now is of no use; not shown. */
  readonly final?: boolean
  /** Kept for the log only. */
  readonly cause?: unknown
}

/**
 * The one error class. Its message reads "Cannot do X: why" and is shown to the caller: it holds no
 * token, no secret and no text of a prompt or an answer.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly code: ErrorCode
  readonly status: number
  readonly facts: ErrorFacts

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    // No stack: the code says where it comes from, what nobody foresaw keeps its own as the cause,
    // and taking a stack is the dearest part of a refusal.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, { cause: facts.cause })
    Error.stackTraceLimit = stackTraceLimit
    this.code = code
    this.status = catalogue[code]
    this.facts = facts
  }

  /**
   * Anything thrown as one of ours; what nobody foresaw becomes `InternalError`, which shows
   * nothing of it.
   */
  static from(error: unknown): ConnectorError {
    if (error instanceof ConnectorError) return error
    const message = 'Cannot complete the request: an unexpected error occurred'
    return new ConnectorError('InternalError', message, { cause: error })
  }

  /** The same error, carrying the ids of what exists already. */
  with(ids: CreatedIds): ConnectorError {
    return new ConnectorError(this.code, this.message, { ...this.facts, ...ids })
  }
}

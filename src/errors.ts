/** A row of the catalogue. */
interface CatalogueRow {
  /** HTTP status. */
  readonly status: number
  /** `Retry-After` in whole seconds, when whoever raises the error knows no better. */
  readonly retryAfterSeconds?: number
}

/**
 * Every error a caller can receive, by its code. A published code never changes; docs/errors.md
 * lists the same rows.
 */
export const catalogue = {
  InvalidRequest: { status: 400 },
  PluginNotEnabled: { status: 400 },
  AuthenticationRequired: { status: 401 },
  InvalidToken: { status: 401 },
  InvalidClientCredentials: { status: 401 },
  InsufficientClaims: { status: 401 },
  TenantNotAllowed: { status: 403 },
  ScopeMissing: { status: 403 },
  AppOnlyTokenNotSupported: { status: 403 },
  AccessBlocked: { status: 403 },
  GraphForbidden: { status: 403 },
  NotFound: { status: 404 },
  SessionNotFound: { status: 404 },
  PromptNotFound: { status: 404 },
  EvaluationNotFound: { status: 404 },
  PromptbookNotFound: { status: 404 },
  RunNotFound: { status: 404 },
  MethodNotAllowed: { status: 405 },
  SubmissionUnconfirmed: { status: 409 },
  PayloadTooLarge: { status: 413 },
  UnsupportedMediaType: { status: 415 },
  IdempotencyKeyReused: { status: 422 },
  AnswerNotJson: { status: 422 },
  RateLimitExceeded: { status: 429 },
  TooManyFailedSignIns: { status: 429, retryAfterSeconds: 60 },
  // Some Graph services leave `Retry-After` out of a 429.
  GraphThrottled: { status: 429, retryAfterSeconds: 10 },
  CapacityExceeded: { status: 429 },
  BudgetExceeded: { status: 429 },
  TooManyKeys: { status: 429, retryAfterSeconds: 60 },
  HeadersTooLarge: { status: 431 },
  InternalError: { status: 500 },
  EntraMisconfigured: { status: 500 },
  GraphInvalidResponse: { status: 502 },
  GraphError: { status: 502 },
  GraphUnavailable: { status: 503, retryAfterSeconds: 10 },
  EntraUnavailable: { status: 503, retryAfterSeconds: 10 },
  StoreUnavailable: { status: 503, retryAfterSeconds: 5 },
  Overloaded: { status: 503, retryAfterSeconds: 10 },
  // Until another replica has taken over.
  ShuttingDown: { status: 503, retryAfterSeconds: 2 },
  GraphTimeout: { status: 504 },
} as const satisfies Record<string, CatalogueRow>

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
  readonly code?: string | undefined
  readonly message?: string | undefined
  readonly 'request-id'?: string | undefined
}

/** What is already created, so that a caller can go on from it. */
export interface CreatedIds {
  readonly sessionId?: string | undefined
  readonly promptId?: string | undefined
  readonly evaluationId?: string | undefined
}

/** What an error shows its caller, beside code and message. */
export interface ShownFacts extends CreatedIds {
  readonly target?: string
  readonly details?: readonly ErrorDetail[]
  readonly graph?: GraphRefusal
  /** Whole seconds, sent as `Retry-After`. @default the catalogue's, if it has one */
  readonly retryAfterSeconds?: number
  /** Further response headers: `Allow`, `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What the service itself knows of an error; never shown to a caller. */
export interface InnerFacts {
  /** How long Graph itself asks to wait, in seconds. */
  readonly suggestedWaitSeconds?: number | undefined
  /** Nothing was sent, so nothing can have run. */
  readonly notSent?: boolean
  /** Repeating now is of no use. */
  readonly final?: boolean
  /** The service itself held the call back: this says nothing of Graph. */
  readonly ours?: boolean
  /** It was held back because its claim of an idempotency key ended before it could be sent. */
  readonly fenced?: boolean
  /** The number by which Entra refused, for the log. */
  readonly aadsts?: string | undefined
  /** An evaluation may have been created before, though this very call did not run. */
  readonly mayHaveRun?: boolean
  /** Kept for the log only. */
  readonly cause?: unknown
}

/**
 * The one error class. Its message reads "Cannot do X: why" and is shown to the caller: it holds no
 * token, no secret and no text of a prompt or of a result.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly code: ErrorCode
  readonly status: number
  readonly shown: ShownFacts
  readonly inner: InnerFacts

  constructor(code: ErrorCode, message: string, shown: ShownFacts = {}, inner: InnerFacts = {}) {
    // No stack: the code says where it comes from, an unforeseen error keeps its own as the cause,
    // and taking a stack is the most expensive part of a refusal.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message, { cause: inner.cause })
    Error.stackTraceLimit = stackTraceLimit
    const { status, retryAfterSeconds }: CatalogueRow = catalogue[code]
    this.code = code
    this.status = status
    this.shown = retryAfterSeconds === undefined ? shown : { retryAfterSeconds, ...shown }
    this.inner = inner
  }

  /**
   * Anything thrown as one of ours; an unforeseen error becomes `InternalError`, which shows
   * nothing of it.
   */
  static from(error: unknown): ConnectorError {
    if (error instanceof ConnectorError) return error
    const message = 'Cannot complete the request: an unexpected error occurred'
    return new ConnectorError('InternalError', message, {}, { cause: error })
  }

  /** The same error, showing the ids of what exists already. */
  with({ sessionId, promptId, evaluationId }: CreatedIds): ConnectorError {
    if (sessionId === undefined && promptId === undefined) return this
    const shown = { ...this.shown, sessionId, promptId, evaluationId }
    return new ConnectorError(this.code, this.message, shown, this.inner)
  }
}

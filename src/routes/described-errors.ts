import { catalogue, type ErrorCode } from '../errors.ts'

/** Those of the codes that the catalogue has. */
const known = (...codes: readonly string[]): ErrorCode[] =>
  codes.filter((code): code is ErrorCode => Object.hasOwn(catalogue, code))

/** What every authenticated route may answer. */
export const readErrors = known(
  'InvalidRequest',
  'AuthenticationRequired',
  'InvalidToken',
  'InvalidClientCredentials',
  'InsufficientClaims',
  'TenantNotAllowed',
  'ScopeMissing',
  'AppOnlyTokenNotSupported',
  'GraphForbidden',
  'AccessBlocked',
  'RateLimitExceeded',
  'GraphThrottled',
  'TooManyFailedSignIns',
  'HeadersTooLarge',
  'InternalError',
  'EntraMisconfigured',
  'GraphInvalidResponse',
  'GraphError',
  'GraphUnavailable',
  'EntraUnavailable',
  'ShuttingDown',
  'Overloaded',
  'GraphTimeout',
)

/** What a route that runs prompts may answer besides. */
export const runErrors = known(
  'PluginNotEnabled',
  'SessionNotFound',
  'PromptNotFound',
  'EvaluationNotFound',
  'SubmissionUnconfirmed',
  'PayloadTooLarge',
  'UnsupportedMediaType',
  'IdempotencyKeyReused',
  'CapacityExceeded',
  'BudgetExceeded',
  'TooManyKeys',
  'StoreUnavailable',
)

export const answerErrors = known('EvaluationNotFound', 'AnswerNotJson')
export const promptbookErrors = known('PromptbookNotFound')
export const promptbookRunErrors = known('RunNotFound', 'StoreUnavailable')

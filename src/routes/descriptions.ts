import { z } from 'zod'
import type { ResponseDescription, RouteDescription } from '../openapi/route-description.ts'
import type { ErrorCode } from '../errors.ts'

// What the documents, the designers and the models that pick tools read of each route.

const callerErrors = [
  'InvalidRequest',
  'AuthenticationRequired',
  'InvalidToken',
  'InvalidClientCredentials',
  'InsufficientClaims',
  'TenantNotAllowed',
  'ScopeMissing',
  'AppOnlyTokenNotSupported',
  'AccessBlocked',
  'GraphForbidden',
  'RateLimitExceeded',
  'TooManyFailedSignIns',
  'GraphThrottled',
  'HeadersTooLarge',
] as const satisfies ErrorCode[]

const serviceErrors = [
  'InternalError',
  'EntraMisconfigured',
  'GraphInvalidResponse',
  'GraphError',
  'GraphUnavailable',
  'EntraUnavailable',
  'ShuttingDown',
  'GraphTimeout',
] as const satisfies ErrorCode[]

const readErrors = [...callerErrors, ...serviceErrors]

const retryAfter = {
  type: 'integer',
  description: 'Seconds to wait before the next poll.',
} as const

const running: ResponseDescription = {
  description: 'The evaluation runs on; the body says how far it is.',
  headers: {
    Location: {
      type: 'string',
      description: 'Where to poll for the result: 202 until it is there.',
    },
    'Operation-Location': {
      type: 'string',
      description: 'Where to poll for a status: always 200.',
    },
    'Retry-After': retryAfter,
  },
}

const submitHeaders = z.object({
  Prefer: z.string().optional().meta({
    title: 'Prefer',
    description:
      'How long to wait for the answer: wait=20 waits up to so many seconds (100 at most), respond-async returns at once. A platform that polls needs neither.',
    'x-ms-visibility': 'advanced',
  }),
  'Idempotency-Key': z.string().optional().meta({
    title: 'Idempotency Key',
    description:
      'Makes the action repeatable for 24 hours: the same key and prompt run once and return the same evaluation. 1 to 255 visible characters, for example the id of the workflow run.',
    'x-ms-visibility': 'advanced',
  }),
})

export const submitPromptDescription: RouteDescription = {
  operationId: 'SubmitPrompt',
  tag: 'Actions',
  connector: 'important',
  summary: 'Submit a Security Copilot prompt',
  description:
    'Runs a prompt in a new or an existing Security Copilot session and returns the answer. Each run spends capacity. Check that Evaluation Result Type is Success before you use the content.',
  example: { PromptContent: 'Which users signed in from two countries today?' },
  headers: submitHeaders,
  responses: { 200: { description: 'The evaluation ended.' }, 202: running },
  errors: [
    ...readErrors,
    'PluginNotEnabled',
    'SessionNotFound',
    'PromptNotFound',
    'EvaluationNotFound',
    'PayloadTooLarge',
    'UnsupportedMediaType',
    'IdempotencyKeyReused',
    'SubmissionUnconfirmed',
    'StoreUnavailable',
  ],
}

export const fetchPromptStatusDescription: RouteDescription = {
  operationId: 'FetchPromptStatus',
  tag: 'Actions',
  connector: 'important',
  summary: 'Fetch prompt status',
  description:
    'Returns how the run of a submitted prompt stands, and the answer once it is there. Repeat it until Evaluation State is Completed or Cancelled.',
  responses: { 200: { description: 'The evaluation, whatever its state.' } },
  errors: [...readErrors, 'EvaluationNotFound'],
}

export const fetchPromptbookStatusDescription: RouteDescription = {
  operationId: 'FetchPromptbookStatus',
  tag: 'Actions',
  connector: 'important',
  summary: 'Fetch promptbook prompt evaluation status',
  description:
    'Returns how a promptbook run stands: the prompt given and every later one of its session, each with its newest answer.',
  responses: { 200: { description: 'The run, whatever its state.' } },
  errors: [...readErrors, 'SessionNotFound', 'PromptNotFound'],
}

export const getPromptResultDescription: RouteDescription = {
  operationId: 'GetPromptResult',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the result of a prompt',
  description:
    'The target of Location: answers 202 while the evaluation runs, then 200 with the result.',
  responses: { 200: { description: 'The evaluation ended.' }, 202: running },
  errors: [...readErrors, 'EvaluationNotFound'],
}

export const getPromptOperationDescription: RouteDescription = {
  operationId: 'GetPromptOperation',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the operation of a prompt',
  description:
    'The target of Operation-Location: answers 200 with a status, and the result once the evaluation ended.',
  responses: { 200: { description: 'The status.', headers: { 'Retry-After': retryAfter } } },
  errors: [...readErrors, 'EvaluationNotFound'],
}

import { catalogue, type ErrorCode } from '../errors.ts'
import type { Examples } from './route-description.ts'

/** What such an error may say, in an example; a code that is not here has a message for all. */
const messages: Readonly<Record<string, string>> = {
  InvalidRequest: 'Cannot accept the request: PromptContent is required',
  PluginNotEnabled: 'Cannot use plugin "Intune": it is not enabled in the workspace',
  AuthenticationRequired: 'Cannot authenticate the caller: the request carries no credentials',
  InvalidToken: 'Cannot accept the token: it has expired',
  InvalidClientCredentials: 'Cannot sign the app in: Entra does not accept its secret',
  InsufficientClaims: 'Cannot get a token for Graph: Conditional Access asks for more claims',
  GraphForbidden:
    'Cannot create the prompt: the caller lacks a Security Copilot role or a Graph permission',
  SessionNotFound: 'Cannot create the prompt: Microsoft Graph has no such session',
  PromptNotFound: 'Cannot read the prompt: Microsoft Graph has no such prompt',
  EvaluationNotFound: 'Cannot read the evaluation: Microsoft Graph has no such evaluation',
  PromptbookNotFound: 'Cannot run the promptbook: there is none of this id or name',
  RunNotFound: 'Cannot read the promptbook run: this service knows none of this id',
  SubmissionUnconfirmed:
    'Cannot tell whether the evaluation was created: look at the prompt before you submit again',
  PayloadTooLarge: 'Cannot accept the request: the body is over 1 MiB',
  UnsupportedMediaType: 'Cannot accept the request: the body must be application/json',
  IdempotencyKeyReused: 'Cannot use the key again: it stands for another body',
  AnswerNotJson: 'Cannot give the answer as JSON: it holds none',
  RateLimitExceeded: 'Rate limit is exceeded. Try again in 12 seconds.',
  GraphThrottled: 'Cannot create the session: Microsoft Graph throttles; try again in 20 seconds',
  CapacityExceeded: 'Cannot run the prompt: the capacity of the workspace is used up',
  InternalError: 'Cannot complete the request: an unexpected error occurred',
  GraphError: 'Cannot create the evaluation: Microsoft Graph failed',
  GraphInvalidResponse: 'Cannot read the evaluation: the response of Microsoft Graph has no state',
  GraphUnavailable: 'Cannot create the session: Microsoft Graph cannot be reached',
  ShuttingDown: 'Cannot take the request: this replica stops',
  GraphTimeout: 'Cannot read the evaluation: Microsoft Graph did not respond in time',
}

/** An error's body, by its code, for every row of the catalogue: what the document refers to. */
export const errorExamples = (): Examples =>
  Object.fromEntries(
    Object.keys(catalogue).map(code => [
      code,
      {
        summary: code,
        value: {
          error: {
            code,
            message:
              messages[code] ?? `Cannot complete the request: docs/errors.md tells of ${code}`,
            innerError: {
              date: '2026-01-05T09:00:00.000Z',
              'request-id': '5f3c0f4e-9c1d-4a54-9d0b-2f1c6a7d8e90',
              'client-request-id': '5f3c0f4e-9c1d-4a54-9d0b-2f1c6a7d8e90',
            },
          },
        },
      },
    ]),
  )

/** References to them. */
export const errorExampleReferences = (
  codes: readonly ErrorCode[],
): Readonly<Record<string, { readonly $ref: string }>> =>
  Object.fromEntries(codes.map(code => [code, { $ref: `#/components/examples/${code}` }]))

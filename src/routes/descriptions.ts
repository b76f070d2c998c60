import type { ResponseDescription, RouteDescription } from '../openapi/route-description.ts'
import {
  answerExamples,
  connectionExamples,
  endedExamples,
  operationExamples,
  promptbookStatusExamples,
  runningExamples,
  submitExamples,
} from './described-bodies.ts'
import { answerErrors, readErrors, runErrors } from './described-errors.ts'
import { acceptedHeaders, retryAfter, runHeaders, waitHeaders } from './described-headers.ts'

// What the documents, the designers and the models that pick tools read of each route about one
// prompt. Those of promptbooks are in promptbook-descriptions.ts.

const ended: ResponseDescription = {
  description: 'The evaluation ended.',
  examples: endedExamples,
}

const running: ResponseDescription = {
  description: 'The evaluation runs on; the body says how far it is.',
  headers: acceptedHeaders,
  examples: runningExamples,
}

export const submitPromptDescription: RouteDescription = {
  operationId: 'SubmitPrompt',
  tag: 'Actions',
  connector: 'important',
  summary: 'Submit a Security Copilot prompt',
  description:
    'Runs a prompt in a new or an existing Security Copilot session and returns the answer. Each run spends capacity. Check that Evaluation Result Type is Success before you use the content. AI-generated content may contain mistakes: check the answer for accuracy.',
  examples: submitExamples,
  headers: runHeaders,
  responses: { 200: ended, 202: running },
  errors: [...readErrors, ...runErrors],
}

export const fetchPromptStatusDescription: RouteDescription = {
  operationId: 'FetchPromptStatus',
  tag: 'Actions',
  connector: 'important',
  summary: 'Fetch prompt status',
  description:
    'Returns how the run of a submitted prompt stands, and the answer once it is there. Repeat it until Evaluation State is Completed or Cancelled.',
  responses: {
    200: {
      description: 'The evaluation, whatever its state.',
      examples: { ...endedExamples, ...runningExamples },
    },
  },
  errors: [...readErrors, 'EvaluationNotFound'],
}

export const fetchPromptbookStatusDescription: RouteDescription = {
  operationId: 'FetchPromptbookStatus',
  tag: 'Actions',
  connector: 'important',
  summary: 'Fetch promptbookprompt evaluation status',
  description:
    'Returns how a promptbook run stands: the prompt given and every later one of its session, each with its newest answer.',
  responses: {
    200: { description: 'The run, whatever its state.', examples: promptbookStatusExamples },
  },
  errors: [...readErrors, 'SessionNotFound', 'PromptNotFound'],
}

export const fetchAnswerDescription: RouteDescription = {
  operationId: 'FetchAnswer',
  tag: 'Actions',
  connector: 'important',
  summary: 'Fetch the answer as HTML, text or JSON',
  description:
    'Returns the answer of a submitted prompt in the form that you choose, and spends no capacity. AI-generated content may contain mistakes: check the answer for accuracy.',
  responses: {
    200: { description: 'The answer, if it is there yet.', examples: answerExamples },
  },
  errors: [...readErrors, ...answerErrors],
}

export const getConnectionDescription: RouteDescription = {
  operationId: 'GetConnection',
  tag: 'Actions',
  connector: 'advanced',
  summary: 'Get the connection',
  description:
    'Returns who the service takes you for, the plugins that are enabled and how many calls are left. It spends no capacity, so use it to test a connection.',
  responses: {
    200: { description: 'Microsoft Graph lets the caller in.', examples: connectionExamples },
  },
  errors: readErrors,
}

export const getPromptResultDescription: RouteDescription = {
  operationId: 'GetPromptResult',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the result of a prompt',
  description:
    'The target of Location: answers 202 while the evaluation runs, then 200 with the result.',
  headers: waitHeaders,
  responses: { 200: ended, 202: running },
  errors: [...readErrors, 'EvaluationNotFound'],
}

export const getPromptOperationDescription: RouteDescription = {
  operationId: 'GetPromptOperation',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the operation of a prompt',
  description:
    'The target of Operation-Location: answers 200 with a status, and the result once the evaluation ended.',
  responses: {
    200: {
      description: 'The status.',
      headers: { 'Retry-After': retryAfter },
      examples: operationExamples,
    },
  },
  errors: [...readErrors, 'EvaluationNotFound'],
}

import type { ResponseDescription, RouteDescription } from '../openapi/route-description.ts'
import {
  inputSchemaExamples,
  pluginExamples,
  promptbookExamples,
  promptbookListExamples,
  promptbookOperationExamples,
  promptbookRunningExamples,
  runPromptbookExamples,
} from './described-bodies.ts'
import { promptbookErrors, promptbookRunErrors, readErrors, runErrors } from './described-errors.ts'
import { acceptedHeaders, retryAfter, runHeaders, waitHeaders } from './described-headers.ts'

// What the documents say of promptbook runs, and of the lists behind the designers' pickers.

const ended: ResponseDescription = { description: 'The run ended.', examples: promptbookExamples }

const running: ResponseDescription = {
  description: 'The run goes on; the body says how far it is.',
  headers: acceptedHeaders,
  examples: promptbookRunningExamples,
}

export const runPromptbookDescription: RouteDescription = {
  operationId: 'RunPromptbook',
  tag: 'Actions',
  connector: 'important',
  summary: 'Run a Security Copilot promptbook',
  description:
    'Runs the prompts of a promptbook one after the other in one Security Copilot session and returns their answers. Each prompt spends capacity. Check that Promptbook State is Completed before you use the answers. AI-generated content may contain mistakes: check the answers for accuracy.',
  examples: runPromptbookExamples,
  headers: runHeaders,
  responses: { 200: ended, 202: running },
  errors: [...readErrors, ...runErrors, ...promptbookErrors],
}

export const getPromptbookRunResultDescription: RouteDescription = {
  operationId: 'GetPromptbookRunResult',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the result of a promptbook run',
  description:
    'The target of Location: answers 202 while the run goes on, then 200 with the result.',
  headers: waitHeaders,
  responses: { 200: ended, 202: running },
  errors: [...readErrors, ...promptbookRunErrors],
}

export const getPromptbookRunOperationDescription: RouteDescription = {
  operationId: 'GetPromptbookRunOperation',
  tag: 'Polling',
  connector: 'internal',
  summary: 'Get the operation of a promptbook run',
  description:
    'The target of Operation-Location: answers 200 with a status, and the result once the run ended.',
  responses: {
    200: {
      description: 'The status.',
      headers: { 'Retry-After': retryAfter },
      examples: promptbookOperationExamples,
    },
  },
  errors: [...readErrors, ...promptbookRunErrors],
}

export const listPluginsDescription: RouteDescription = {
  operationId: 'ListPlugins',
  tag: 'Lists',
  connector: 'internal',
  summary: 'List the plugins',
  description: 'Returns the plugins that are enabled in the workspace, for a designer to offer.',
  responses: { 200: { description: 'The plugins.', examples: pluginExamples } },
  errors: readErrors,
}

export const listPromptbooksDescription: RouteDescription = {
  operationId: 'ListPromptbooks',
  tag: 'Lists',
  connector: 'internal',
  summary: 'List the promptbooks',
  description: 'Returns the promptbooks of this service, for a designer to offer.',
  responses: { 200: { description: 'The promptbooks.', examples: promptbookListExamples } },
  errors: readErrors,
}

export const getPromptbookInputsDescription: RouteDescription = {
  operationId: 'GetPromptbookInputs',
  tag: 'Lists',
  connector: 'internal',
  summary: 'Get the inputs of a promptbook',
  description: 'Returns the JSON schema of the inputs of a promptbook, for a designer to ask for.',
  responses: { 200: { description: 'The schema.', examples: inputSchemaExamples } },
  errors: [...readErrors, ...promptbookErrors],
}

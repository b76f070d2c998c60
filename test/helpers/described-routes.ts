import Fastify from 'fastify'
import { documents, type DocumentsOptions } from '../../src/openapi/documents.ts'
import { compilersFactory } from '../../src/plugins/validation.ts'
import * as prompts from '../../src/routes/descriptions.ts'
import * as promptbooks from '../../src/routes/promptbook-descriptions.ts'
import * as schemas from '../../src/routes/schemas.ts'

const prompt = '/sessions/:sessionId/prompts/:promptId'
const evaluation = `${prompt}/evaluations/:evaluationId`
const run = '/promptbook-runs/:runId'
const { evaluationResult, promptbookResult, evaluationParams, runParams } = schemas

const routes = [
  {
    method: 'POST',
    url: '/process-prompt',
    operation: prompts.submitPromptDescription,
    body: schemas.submitPrompt,
    response: { 200: evaluationResult, 202: evaluationResult },
  },
  {
    method: 'POST',
    url: '/run-promptbook',
    operation: promptbooks.runPromptbookDescription,
    body: schemas.runPromptbook,
    response: { 200: promptbookResult, 202: promptbookResult },
  },
  {
    url: evaluation,
    operation: prompts.fetchPromptStatusDescription,
    params: evaluationParams,
    response: { 200: evaluationResult },
  },
  {
    url: `${evaluation}/answer`,
    operation: prompts.fetchAnswerDescription,
    params: evaluationParams,
    querystring: schemas.answerQuery,
    response: { 200: schemas.answer },
  },
  {
    url: `${evaluation}/result`,
    operation: prompts.getPromptResultDescription,
    params: evaluationParams,
    response: { 200: evaluationResult, 202: evaluationResult },
  },
  {
    url: `${evaluation}/operation`,
    operation: prompts.getPromptOperationDescription,
    params: evaluationParams,
    response: { 200: schemas.operationStatus },
  },
  {
    url: `${prompt}/promptbook`,
    operation: prompts.fetchPromptbookStatusDescription,
    params: schemas.promptParams,
    response: { 200: schemas.promptbookRunResult },
  },
  {
    url: `${run}/result`,
    operation: promptbooks.getPromptbookRunResultDescription,
    params: runParams,
    response: { 200: promptbookResult, 202: promptbookResult },
  },
  {
    url: `${run}/operation`,
    operation: promptbooks.getPromptbookRunOperationDescription,
    params: runParams,
    response: { 200: schemas.promptbookOperation },
  },
  {
    url: '/connection',
    operation: prompts.getConnectionDescription,
    response: { 200: schemas.connectionInfo },
  },
  {
    url: '/plugins',
    operation: promptbooks.listPluginsDescription,
    response: { 200: schemas.pluginList },
  },
  {
    url: '/promptbooks',
    operation: promptbooks.listPromptbooksDescription,
    response: { 200: schemas.promptbookList },
  },
  {
    url: '/promptbooks/:promptbookId/inputs',
    operation: promptbooks.getPromptbookInputsDescription,
    params: schemas.promptbookParams,
    response: { 200: schemas.promptbookInputSchema },
  },
]

/** Both documents of a service with a route for each description; none does a thing. */
export async function describedRoutes(
  options: Partial<DocumentsOptions> = {},
): Promise<{ definition: any; openApi: any }> {
  const app = Fastify({ schemaController: { compilersFactory: compilersFactory as object } })
  const publicUrl = 'https://copilot-connector.example.com'
  await app.register(documents, { named: schemas.named, publicUrl, ...options })
  await app.register(async inner => {
    for (const { method = 'GET', url, ...schema } of routes)
      inner.route({ method, url, schema, handler: async () => ({}) })
  })
  await app.ready()
  const made = { definition: app.definition(), openApi: app.swagger() }
  await app.close()
  // As they are served.
  return JSON.parse(JSON.stringify(made))
}

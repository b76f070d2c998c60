import { Client } from '@microsoft/microsoft-graph-client'
import express from 'express'
import type { AddressInfo } from 'node:net'
import { present } from './answer.ts'
import { authorization, reshape, workspace } from './reshape.ts'

// What a user would write: Express and Microsoft's Graph client, the same calls and reshaping; no
// authentication, limit, check or log.
const [graphUrl = ''] = process.argv.slice(2)
const graph = Client.init({
  baseUrl: graphUrl,
  defaultVersion: '',
  customHosts: new Set(['127.0.0.1']),
  authProvider: done => done(null, authorization.replace('Bearer ', '')),
})
const prompts = new Map<string, string>()
const app = express()
app.use(express.json({ limit: '1mb' }))

app.get(
  '/sessions/:sessionId/prompts/:promptId/evaluations/:evaluationId',
  async (request, response) => {
    const evaluation = await graph.api(workspace + request.path).get()
    response.json(reshape(request.params, prompts.get(request.params.promptId) ?? '', evaluation))
  },
)

app.post('/process-prompt', async (request, response) => {
  const { PromptContent: content, SessionId } = request.body
  const displayName = content.slice(0, 80)
  const sessionId = SessionId ?? (await graph.api(`${workspace}/sessions`).post({ displayName })).id
  const prompt = await graph
    .api(`${workspace}/sessions/${sessionId}/prompts`)
    .post({ type: 'prompt', content })
  prompts.set(prompt.id, content)
  const evaluation = await graph
    .api(`${workspace}/sessions/${sessionId}/prompts/${prompt.id}/evaluations`)
    .post({})
  response.status(202).json(reshape({ sessionId, promptId: prompt.id }, content, evaluation))
})

const server = app.listen(0, '127.0.0.1', () =>
  present({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)

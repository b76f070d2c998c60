import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { present } from './answer.ts'
import { authorization, fetchPath, reshape, workspace } from './reshape.ts'

// The floor: node:http and undici's Pool, the same calls to Graph and the same reshaping; no
// authentication, limit, check, log or retry.
const [graphUrl = ''] = process.argv.slice(2)
const pool = new Pool(graphUrl, { connections: 128 })
const headers = { authorization, accept: 'application/json' }
const posting = { ...headers, 'content-type': 'application/json' }
const prompts = new Map<string, string>()

async function graph(method: 'GET' | 'POST', path: string, body?: object): Promise<any> {
  const answer = await pool.request({
    method,
    path: workspace + path,
    headers: body ? posting : headers,
    body: body ? JSON.stringify(body) : null,
  })
  return answer.body.json()
}

async function read(request: IncomingMessage): Promise<any> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

async function submit(request: IncomingMessage): Promise<object> {
  const { PromptContent: content, SessionId } = await read(request)
  const sessionId =
    SessionId ?? (await graph('POST', '/sessions', { displayName: content.slice(0, 80) })).id
  const prompt = await graph('POST', `/sessions/${sessionId}/prompts`, { type: 'prompt', content })
  prompts.set(prompt.id, content)
  const evaluation = await graph(
    'POST',
    `/sessions/${sessionId}/prompts/${prompt.id}/evaluations`,
    {},
  )
  return reshape({ sessionId, promptId: prompt.id }, content, evaluation)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const match = fetchPath.exec(request.url ?? '')
  const result = match
    ? reshape(
        { sessionId: match[1] as string, promptId: match[2] as string },
        prompts.get(match[2] as string) ?? '',
        await graph('GET', request.url as string),
      )
    : await submit(request)
  response
    .writeHead(match ? 200 : 202, { 'content-type': 'application/json' })
    .end(JSON.stringify(result))
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () =>
  present({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)

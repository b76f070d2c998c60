import proxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { present } from './answer.ts'
import { authorization, workspace } from './reshape.ts'

// A gateway: passes the call through to Graph, with a token, and reshapes nothing.
const [graphUrl = ''] = process.argv.slice(2)
const app = Fastify()
app.register(proxy, {
  upstream: graphUrl,
  rewritePrefix: workspace,
  replyOptions: { rewriteRequestHeaders: (_request, headers) => ({ ...headers, authorization }) },
})
present({ url: await app.listen({ host: '127.0.0.1', port: 0 }) })

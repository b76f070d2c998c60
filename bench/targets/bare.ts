import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { present } from './answer.ts'

// The least that an answer costs: node:http, one text that is always the same, nothing read of the
// request.
const body = JSON.stringify({
  error: {
    code: 'RateLimitExceeded',
    message: 'Rate limit is exceeded. Try again in 60 seconds.',
    innerError: {
      date: '2026-01-05T09:00:00.000Z',
      'request-id': 'x'.repeat(36),
      'client-request-id': 'x'.repeat(36),
    },
  },
})
const headers = {
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  'retry-after': '60',
}
const server = createServer((_request, response) => response.writeHead(429, headers).end(body))
server.listen(0, '127.0.0.1', () =>
  present({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }),
)

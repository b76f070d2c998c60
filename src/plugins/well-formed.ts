import fp from 'fastify-plugin'
import { malformedHttp } from './error-body.ts'

/**
 * Answers in our words where Node would answer by itself, without a body: no `Host` (400), an
 * unknown `Expect` (let through).
 */
export const wellFormed = fp(
  async app => {
    app.server.on('checkExpectation', (request, response) =>
      app.server.emit('request', request, response),
    )
    app.addHook('onRequest', ({ raw }, _reply, done) => {
      done(raw.headers.host === undefined && raw.httpVersion === '1.1' ? malformedHttp : undefined)
    })
  },
  { name: 'well-formed' },
)

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { malformedHttp } from './error-body.ts'

/** The newest response of each connection. */
const latest = new WeakMap<Socket, ServerResponse>()

/** The response to the newest request on this connection, sent or not. */
export const latestResponse = (socket: Socket): ServerResponse | undefined => latest.get(socket)

/** The response that another, of a pipelined request, must not overtake. */
const ahead = new WeakMap<ServerResponse, ServerResponse>()

/** Whether the responses to all earlier requests on the connection were sent. */
export const isFirstInLine = (response: ServerResponse): boolean =>
  ahead.get(response)?.writableFinished !== false

const hosts = (rawHeaders: readonly string[]): number =>
  rawHeaders.filter((name, at) => at % 2 === 0 && name.toLowerCase() === 'host').length

/**
 * Answers in our words where Node would answer by itself, without a body, or let it pass: no
 * `Host`, or two (400), an unknown `Expect` (let through).
 */
export const wellFormed = fp(
  async app => {
    app.server.on('checkExpectation', (request, response) =>
      app.server.emit('request', request, response),
    )
    app.addHook('onRequest', ({ raw }, reply, done) => {
      const before = latest.get(raw.socket)
      if (before?.writableFinished === false) ahead.set(reply.raw, before)
      latest.set(raw.socket, reply.raw)
      const count = hosts(raw.rawHeaders)
      done(count > 1 || (count === 0 && raw.httpVersion === '1.1') ? malformedHttp : undefined)
    })
  },
  { name: 'well-formed' },
)

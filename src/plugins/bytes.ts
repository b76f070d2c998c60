import fp from 'fastify-plugin'
import { ConnectorError, type ShownFacts } from '../errors.ts'
import { createByteBudget, type ByteMeter } from '../lib/byte-budget.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Counts the bytes that the request holds: its body, what Graph sent for it, its response. */
    bytes: ByteMeter
  }
}

/** Bytes that requests hold, at most: all together, and those of one connection, in bytes. */
export interface ByteLimits {
  readonly total: number
  readonly perConnection: number
}

/** A request that was refused before anything was done: a proxy may hand it to another replica. */
export const notTakenUp = { 'x-not-taken-up': 'true' } as const

/** The refusal of what does not fit in memory now. */
export const overloaded = (why: string, shown: ShownFacts = {}): ConnectorError =>
  new ConnectorError(
    'Overloaded',
    `Cannot ${why}: the service has as much in hand as it can hold`,
    shown,
  )

/**
 * Bounds the bytes that requests hold, so that no caller ends the process or another caller's
 * request (docs/api.md#8-errors).
 */
export const bytes = fp<{ limits: ByteLimits }>(
  async (app, { limits: { total, perConnection } }) => {
    const budget = createByteBudget({ total, perKey: perConnection })
    app.decorateRequest('bytes')
    app.addHook('onRequest', (request, reply, done) => {
      request.bytes = budget.meter(request.caller.key)
      reply.raw.once('close', () => request.bytes.close())
      done()
    })
    app.addHook('onSend', (request, reply, payload, done) => {
      const length = typeof payload === 'string' ? Buffer.byteLength(payload) : 0
      // An error is small, and may come before the meter does.
      const isError = reply.getHeader('x-ms-error-code') !== undefined
      // What a Submit created must be told, else it would be repeated.
      const mustGo = request.method === 'POST'
      if (isError || request.bytes.hold(length) || mustGo) done(null, payload)
      else done(overloaded('send the response'))
    })
  },
  { name: 'bytes', dependencies: ['authentication'] },
)

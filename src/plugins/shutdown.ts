import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'

/** How the service stops: nobody who was let in is dropped, and nobody new is let in. */
export interface Shutdown {
  /**
   * From now on new calls are refused, held ones answered at once with what is known, and every
   * answer ends its connection.
   */
  stop(): void
  /** @throws ConnectorError `ShuttingDown` once the service stops. */
  refuse(): void
  /**
   * Aborts when nobody waits for this answer any more, though it was not sent: the caller is gone,
   * or the service stops.
   */
  holdSignal(reply: FastifyReply): AbortSignal
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly shutdown: Shutdown
  }
}

/** Why a hold ends. Made once: making one takes longer than all the rest of it. */
const over = new Error('Nobody waits for this answer')

/** Until another replica has taken over. */
const retryAfterSeconds = 2

export const shutdown = fp(
  async app => {
    let stopping = false
    const holds = new Set<AbortController>()

    const own: Shutdown = {
      stop() {
        stopping = true
        for (const hold of holds) hold.abort(over)
      },
      refuse() {
        if (!stopping) return
        throw new ConnectorError(
          'ShuttingDown',
          'Cannot accept the call: the service is stopping; try again',
          {
            retryAfterSeconds,
          },
        )
      },
      holdSignal({ raw }) {
        const hold = new AbortController()
        if (stopping) hold.abort(over)
        holds.add(hold)
        raw.once('close', () => {
          holds.delete(hold)
          if (!raw.writableFinished) hold.abort(over)
        })
        return hold.signal
      },
    }
    app.decorate('shutdown', own)
    app.addHook('preClose', async () => own.stop())
    // A client that keeps its connection would keep the process alive.
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (stopping) reply.header('connection', 'close')
      done(null, payload)
    })
  },
  { name: 'shutdown' },
)

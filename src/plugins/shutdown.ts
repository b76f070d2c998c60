import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'

/** How the service stops: nobody who was let in is dropped, and nobody new is let in. */
export interface Shutdown {
  /**
   * From now on new calls are refused, waiting ones answered at once with what is known, and every
   * response ends its connection.
   */
  stop(): void
  /** @throws ConnectorError `ShuttingDown` once the service stops. */
  refuse(): void
  /**
   * Aborts when nobody waits for this response any more, though it was not sent: the caller is
   * gone, or the service stops.
   */
  waitSignal(reply: FastifyReply): AbortSignal
}

declare module 'fastify' {
  interface FastifyInstance {
    readonly shutdown: Shutdown
  }
}

/** Why a wait ends. Made once: making one takes longer than all the rest of it. */
const over = new Error('Nobody waits for this response')

export const shutdown = fp(
  async app => {
    let stopping = false
    const waits = new Set<AbortController>()

    const own: Shutdown = {
      stop() {
        stopping = true
        for (const wait of waits) wait.abort(over)
      },
      refuse() {
        if (!stopping) return
        throw new ConnectorError(
          'ShuttingDown',
          'Cannot accept the call: the service is stopping; try again',
        )
      },
      waitSignal({ raw }) {
        const wait = new AbortController()
        if (stopping) wait.abort(over)
        waits.add(wait)
        raw.once('close', () => {
          waits.delete(wait)
          if (!raw.writableFinished) wait.abort(over)
        })
        return wait.signal
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

import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'

/** How the service stops: nobody who was let in is dropped, and nobody new is let in. */
export interface Shutdown {
  /**
   * From now on new calls are refused, waiting ones answered at once with what is known, and every
   * response ends its connection.
   */
  stop(): void
  /** Whoever is still under way now is answered 503 `ShuttingDown`: the process must go. */
  cut(): void
  /** @throws ConnectorError `ShuttingDown` once the service stops. */
  refuse(): void
  /** Aborts when the caller is gone before its response. */
  callerLeft(reply: FastifyReply): AbortSignal
  /**
   * Aborts when nobody waits for this response any more, though it was not sent: the caller is
   * gone, or the service stops.
   */
  waitSignal(request: FastifyRequest): AbortSignal
  /**
   * The result of `work`. @throws ConnectorError `ShuttingDown` when the process must go before.
   */
  unlessCut<T>(work: Promise<T>): Promise<T>
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
    const stopping = new AbortController()
    const cutting = Promise.withResolvers<never>()
    cutting.promise.catch(() => undefined)

    const own: Shutdown = {
      stop: () => stopping.abort(over),
      cut() {
        cutting.reject(
          new ConnectorError(
            'ShuttingDown',
            'Cannot complete the call: the service had to stop; what exists goes on',
          ),
        )
      },
      refuse() {
        if (!stopping.signal.aborted) return
        throw new ConnectorError(
          'ShuttingDown',
          'Cannot accept the call: the service is stopping; try again',
          { headers: { 'x-not-taken-up': 'true' } },
        )
      },
      callerLeft({ raw }) {
        const left = new AbortController()
        raw.once('close', () => {
          if (!raw.writableFinished) left.abort(over)
        })
        return left.signal
      },
      waitSignal: ({ graphContext }) => AbortSignal.any([graphContext.signal, stopping.signal]),
      unlessCut: work => Promise.race([work, cutting.promise]),
    }
    app.decorate('shutdown', own)
    app.addHook('preClose', async () => own.stop())
    // A client that keeps its connection would keep the process alive.
    app.addHook('onSend', (_request, reply, payload, done) => {
      if (stopping.signal.aborted) reply.header('connection', 'close')
      done(null, payload)
    })
  },
  { name: 'shutdown' },
)

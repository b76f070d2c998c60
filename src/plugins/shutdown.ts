import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import { notTakenUp } from './bytes.ts'

/** How the service stops: nobody who was let in is dropped, and nobody new is let in. */
export interface Shutdown {
  /**
   * From now on new calls are refused, waiting ones answered at once with what is known, and every
   * response ends its connection.
   */
  stop(): void
  /** Whoever is still under way now is answered 503 `ShuttingDown`: the process must go. */
  cut(): void
  /** Why a new call is refused, once the service stops. */
  refusal(): ConnectorError | undefined
  /** Remembers a call that was let in, so that cut() answers it. */
  letIn(reply: FastifyReply): void
  /** Aborts when the caller is gone before its response. */
  callerLeft(reply: FastifyReply): AbortSignal
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

const hadToStop = (): ConnectorError =>
  new ConnectorError(
    'ShuttingDown',
    'Cannot complete the call: the service had to stop; what exists goes on',
  )

/** Aborts when the response is closed before it was sent whole. */
function whenLeft({ raw }: FastifyReply, left: AbortController): void {
  raw.once('close', () => {
    if (!raw.writableFinished) left.abort(over)
  })
}

export const shutdown = fp(
  async app => {
    let stopping = false
    // Whoever waits is in a set as long as that lasts: a promise or signal that lives as long as
    // the service would keep all that ever waited for it.
    const waits = new Set<AbortController>()
    const open = new Set<FastifyReply>()

    const own: Shutdown = {
      stop() {
        stopping = true
        for (const wait of waits) wait.abort(over)
      },
      cut() {
        for (const reply of open) if (!reply.sent) reply.send(hadToStop())
      },
      refusal() {
        if (!stopping) return undefined
        return new ConnectorError(
          'ShuttingDown',
          'Cannot accept the call: the service is stopping; try again',
          { headers: notTakenUp },
        )
      },
      letIn(reply) {
        open.add(reply)
        reply.raw.once('close', () => open.delete(reply))
      },
      callerLeft(reply) {
        const left = new AbortController()
        whenLeft(reply, left)
        return left.signal
      },
      waitSignal(reply) {
        const wait = new AbortController()
        if (stopping) wait.abort(over)
        waits.add(wait)
        reply.raw.once('close', () => waits.delete(wait))
        whenLeft(reply, wait)
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

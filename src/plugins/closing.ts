import fp from 'fastify-plugin'

/** Once the service stops, every answer also ends its connection: a client that keeps it open would keep the process alive. */
export const closing = fp(
  async app => {
    let stops = false
    app.addHook('preClose', async () => {
      stops = true
    })
    app.addHook('onSend', async (_request, reply) => {
      if (stops) reply.header('connection', 'close')
    })
  },
  { name: 'closing' },
)

import type { FastifyPluginAsync } from 'fastify'

/** Liveness and readiness: no authentication, no secrets. Liveness knows no dependency. */
export const health: FastifyPluginAsync = async app => {
  app.get('/livez', async () => ({ status: 'alive' }))
  app.get('/readyz', async () => ({ status: 'ready' }))
}

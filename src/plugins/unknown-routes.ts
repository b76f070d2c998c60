import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import { routesByPath } from '../routes-by-path.ts'

/** Answers a path nobody serves with 404, and a method nobody serves there with 405 and `Allow`, before the body is read. */
export const unknownRoutes = fp(
  async app => {
    const methodsOf = routesByPath(app)
    app.addHook('onRequest', async request => {
      if (!request.is404) return
      const methods = methodsOf(request.url.replace(/\?.*/s, ''))
      if (!methods) throw new ConnectorError('NotFound', 'Cannot find the path: the service has no such route')
      const allow = [...methods].toSorted().join(', ')
      throw new ConnectorError('MethodNotAllowed', `Cannot use the method: the path allows ${allow}`, {
        headers: { allow },
      })
    })
  },
  { name: 'unknown-routes' },
)

import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import { routesByPath } from '../lib/routes-by-path.ts'

const notFound = (): ConnectorError =>
  new ConnectorError('NotFound', 'Cannot find the path: the service has no such route')

/**
 * Answers a path nobody serves with 404, and a method nobody serves there with 405 and `Allow`,
 * before the body is read.
 */
export const unknownRoutes = fp(
  async app => {
    const methodsOf = routesByPath(app)
    // Asked by routes that serve files, for a file that is not there.
    app.setNotFoundHandler(() => {
      throw notFound()
    })
    function refusal(url: string): ConnectorError {
      const methods = methodsOf(url.replace(/\?.*/s, ''))
      if (!methods) return notFound()
      const allow = [...methods].toSorted().join(', ')
      return new ConnectorError(
        'MethodNotAllowed',
        `Cannot use the method: the path allows ${allow}`,
        {
          headers: { allow },
        },
      )
    }
    app.addHook('onRequest', ({ is404, url }, _reply, done) => {
      done(is404 ? refusal(url) : undefined)
    })
  },
  { name: 'unknown-routes' },
)

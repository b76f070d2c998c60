import fp from 'fastify-plugin'
import { ConnectorError } from '../errors.ts'
import { routesByPath } from '../lib/routes-by-path.ts'

/** A path of the managed connector. */
const agents = /^\/agents\//

/** Files of a page are named plainly: nothing leads out of their folder. */
const strangeFile = /^\/docs\/static\/(?!(?:\w[\w.-]*\/)*\w[\w.-]*$)/

const notFound = (): ConnectorError =>
  new ConnectorError('NotFound', 'Cannot find the path: the service has no such route')

/** The path of a URL, without what is forgiven: doubled slashes and a closing one. */
const pathOf = (url: string): string =>
  url
    .replace(/\?.*/s, '')
    .replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1')

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
    function refusal(path: string): ConnectorError {
      const methods = methodsOf(path)
      if (agents.test(path)) {
        return new ConnectorError(
          'NotFound',
          'Cannot run an agent: Microsoft Graph has no agents of Security Copilot',
        )
      }
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
      const path = pathOf(url)
      done(is404 ? refusal(path) : strangeFile.test(path) ? notFound() : undefined)
    })
  },
  { name: 'unknown-routes' },
)

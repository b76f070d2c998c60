import type { FastifyInstance } from 'fastify'

/** The paths of a route: `:name` stands for one segment, `*` for any rest. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(:\w+|\*)/).map((part, index) => {
    if (index % 2 === 0) return RegExp.escape(part)
    return part === '*' ? '.*' : '[^/]+'
  })
  return new RegExp(`^${parts.join('')}$`)
}

/**
 * Collects the routes that are added to `app` from now on. The result tells which methods serve a
 * path, `undefined` when none does: what Fastify's router knows but does not say.
 */
export function routesByPath(
  app: FastifyInstance,
): (path: string) => ReadonlySet<string> | undefined {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? {
      pattern: patternOf(url),
      methods: new Set<string>(),
    }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  return path => routes.values().find(({ pattern }) => pattern.test(path))?.methods
}

import type { FastifyInstance } from 'fastify'

/**
 * Collects the routes that are added to `app` from now on. The answer tells which methods serve a path, `undefined` when
 * none does: what Fastify's router knows but does not say.
 */
export function routesByPath(app: FastifyInstance): (path: string) => ReadonlySet<string> | undefined {
  const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? {
      pattern: new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`),
      methods: new Set<string>(),
    }
    for (const one of [method].flat()) route.methods.add(one)
    routes.set(url, route)
  })
  return path => routes.values().find(({ pattern }) => pattern.test(path))?.methods
}

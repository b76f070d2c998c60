import fp from 'fastify-plugin'
import { icon } from '../openapi/icon.ts'
import { watchRoutes } from '../watch/watch-routes.ts'

export interface PagesOptions {
  /** Base of the URLs handed out, without a closing slash. */
  readonly publicUrl: string
  /** Whether `/watch` is served. */
  readonly watchPage: boolean
  /** Whether calls without credentials are let in. */
  readonly anonymousAllowed: boolean
  /** A paragraph that the pages begin with. */
  readonly notice?: string | undefined
}

/** What people open in a browser: `/` leads to `/docs`, and the icon; `/watch` where it is on. */
export const pages = fp<PagesOptions>(
  async (app, { publicUrl, watchPage, ...options }) => {
    const root = new URL(publicUrl).pathname.replace(/\/$/, '')
    app.get('/', async (_request, reply) => reply.redirect(`${root}/docs`, 302))
    app.get('/favicon.ico', async (_request, reply) =>
      reply.type('image/png').header('cache-control', 'public, max-age=3600').send(icon),
    )
    if (watchPage) await app.register(watchRoutes, { root, ...options })
  },
  { name: 'pages' },
)

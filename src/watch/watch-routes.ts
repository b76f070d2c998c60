import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { extname } from 'node:path'
import fp from 'fastify-plugin'
import { answerStyle, watchStyle } from './watch-style.ts'
import { watchDocument, type WatchDocumentOptions } from './watch-document.ts'

/** Nothing but files and calls of this service. The answer's frame has no script at all. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** As this file is: TypeScript when the service runs from its sources, JavaScript once built. */
const ending = extname(import.meta.url)

/** A module of the page as browsers read it. Read when it is first asked for. */
function browserModule(name: string): string {
  const source = readFileSync(new URL(`browser/${name}${ending}`, import.meta.url), 'utf8')
  const code = ending === '.ts' ? stripTypeScriptTypes(source) : source
  return code.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'")
}

/** The modules of the page. */
const modules = [
  'watch-page',
  'watch-prompt',
  'watch-promptbook',
  'run-view',
  'poll',
  'api-calls',
  'elements',
]

/**
 * A page to ask, watch and read. It needs no authentication, since it holds nothing: its calls
 * carry the credentials of whoever uses it.
 */
export const watchRoutes = fp<WatchDocumentOptions>(
  async (app, options) => {
    const send = (path: string, type: string, read: () => string): void => {
      let text: string | undefined
      app.get(path, async (_request, reply) => {
        // From the sources, a change is seen when the page is loaded again.
        text = ending === '.ts' ? read() : (text ?? read())
        return reply
          .header('content-security-policy', contentSecurityPolicy)
          .header('referrer-policy', 'no-referrer')
          .type(`${type}; charset=utf-8`)
          .send(text)
      })
    }
    send('/watch', 'text/html', () => watchDocument(options))
    send('/watch/page.css', 'text/css', () => watchStyle)
    send('/watch/answer.css', 'text/css', () => answerStyle)
    for (const name of modules) {
      send(`/watch/${name}.js`, 'text/javascript', () => browserModule(name))
    }
  },
  { name: 'watch' },
)

import { domainToASCII } from 'node:url'
import { Parser } from 'htmlparser2'
import { escapeHtml } from './escape-html.ts'

/** What a reader must see of an address: the host, or who receives the mail. */
function shownTarget(href: string): string {
  const url = new URL(href)
  return url.protocol === 'mailto:' ? url.pathname : url.host
}

/** A text that is longer is not read for hosts: its target is always shown. */
const longestText = 1000

/** The host that a word names, as "example.com", "https://example.com/a" and "10.0.0.1:80" do. */
function namedHost(word: string): string | undefined {
  const bare = word.replace(/^[a-z][a-z0-9+.-]*:\/\/+/, '')
  const host = bare.split(/[/?#\\:]/, 1)[0] ?? ''
  if (bare !== word) return host
  const labels = host.split('.')
  const last = labels.at(-1) ?? ''
  const isName = labels.length > 1 && !labels.includes('') && /^(?:\p{L}{2,}|xn--.+)$/u.test(last)
  return isName || /^\d+(?:\.\d+){3}$/.test(host) ? host : undefined
}

/** The same spelling for the same host. */
function plainHost(host: string): string {
  return (domainToASCII(host) || host).replace(/^www\./, '')
}

/** Whether a text names another place than the one that the link leads to. */
function misleads(text: string, href: string): boolean {
  if (text.length > longestText) return true
  // As the eye sees it: wide and half-wide letters and stops are plain, what is invisible is gone.
  const seen = text
    .normalize('NFKC')
    .replaceAll('。', '.')
    .replace(/\p{Cf}/gu, '')
    .toLowerCase()
  const { protocol, hostname, pathname } = new URL(href)
  const address = pathname.toLowerCase()
  const target = protocol === 'mailto:' ? (address.split('@').at(-1) ?? '') : hostname
  return seen.split(/[\s<>()"'“”«»,;|]+/).some(word => {
    const host = namedHost(word.replace(/[.!?…:]+$/, ''))
    if (host === undefined || (protocol === 'mailto:' && host === address)) return false
    return plainHost(host) !== plainHost(target)
  })
}

/**
 * Sanitised HTML in which each link whose text names a host says, at its end and in parentheses,
 * which other host it really leads to. Only escaped text is put in, so it stays sanitised; once
 * more changes nothing. Linear time.
 */
export function showTargets(html: string): string {
  const pieces: string[] = []
  let copied = 0
  let link: { href: string; text: string } | undefined

  const end = (at: number): void => {
    if (link === undefined) return
    const shown = `(${shownTarget(link.href)})`
    if (!link.text.trimEnd().endsWith(shown) && misleads(link.text, link.href)) {
      pieces.push(html.slice(copied, at), ` ${escapeHtml(shown)}`)
      copied = at
    }
    link = undefined
  }
  const parser = new Parser({
    onopentag: (name, { href }) => {
      if (name === 'a' && href !== undefined) link = { href, text: '' }
    },
    ontext: text => {
      if (link !== undefined) link.text += text
    },
    onclosetag: name => {
      if (name === 'a') end(parser.startIndex)
    },
  })
  parser.end(html)
  pieces.push(html.slice(copied))
  return pieces.join('')
}

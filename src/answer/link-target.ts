/**
 * The address a link leads to, as a browser understands it, so that nothing in its spelling hides
 * where it goes: without user name and password, tabs and line breaks, with the host in ASCII.
 * `undefined` for what is no absolute http, https or mailto address.
 */
export function linkTarget(href: string): string | undefined {
  const url = URL.parse(href)
  if (url === null) return undefined
  if (url.protocol === 'mailto:') return url.href
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined
  url.username = ''
  url.password = ''
  return url.href
}

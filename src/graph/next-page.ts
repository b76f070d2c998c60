import { ConnectorError } from '../errors.ts'

/**
 * A list longer than this many pages is not followed further: it is refused, never cut short in
 * silence.
 */
export const maxPages = 100

/**
 * The path of the next page, relative to the base URL. A link that leaves the base URL would carry
 * the caller's token elsewhere, so it is refused (contract, section 3). Pure.
 * @throws ConnectorError `GraphInvalidResponse`
 */
export function nextPagePath(nextLink: string, baseUrl: string, action: string): string {
  const base = new URL(baseUrl)
  const next = URL.canParse(nextLink) ? new URL(nextLink) : undefined
  const prefix = `${base.pathname.replace(/\/$/, '')}/`
  if (
    next?.origin !== base.origin ||
    next.username ||
    next.password ||
    !next.pathname.startsWith(prefix)
  ) {
    throw new ConnectorError(
      'GraphInvalidResponse',
      `Cannot ${action}: the next page lies outside Microsoft Graph`,
    )
  }
  return next.pathname.slice(prefix.length - 1) + next.search
}

import { isIP } from 'node:net'

/** Where a Redis is, and how to sign in there. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** Whether the connection is TLS. */
  readonly secure: boolean
  readonly username: string | undefined
  readonly password: string | undefined
  /** Number of the database. */
  readonly db: number
}

/** What most often is wrong with a URL that carries a password. */
const hint =
  'characters such as "/", "#", "?", "%", "@" and "," in its user or password must be percent-encoded'

/** Several URLs are separated by commas; a comma elsewhere belongs to a password. */
const separator = /\s*,\s*(?=rediss?:\/\/)/

function parseUrl(text: string): RedisAddress | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^rediss?:$/.test(url.protocol) || !url.hostname || url.hash || url.search) {
    return undefined
  }
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)
  if (!db) return undefined
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(url.port || 6379),
      secure: url.protocol === 'rediss:',
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
      db: Number(db[1]),
    }
  } catch {
    return undefined
  }
}

/**
 * The addresses of a `REDIS_URL`.
 * @throws Error that says what is wrong with it, without the value.
 */
export function parseRedisUrls(text: string): RedisAddress[] {
  const addresses = text.trim().split(separator).map(parseUrl)
  const known = addresses.filter(address => address !== undefined)
  if (known.length < addresses.length) {
    const why = text.includes('@') ? `; ${hint}` : ''
    throw new Error(`must be a redis or rediss URL, or several separated by commas${why}`)
  }
  if (new Set(known.map(({ secure }) => secure)).size > 1) {
    throw new Error('must be all redis or all rediss URLs')
  }
  return known
}

/** The name that TLS asks for: a server's own name, and none for an address in numbers. */
export const serverName = (host: string): string | undefined => (isIP(host) ? undefined : host)

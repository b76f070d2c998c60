import { checkServerIdentity, type ConnectionOptions } from 'node:tls'
import type { RedisOptions } from 'ioredis'
import { serverName, type RedisAddress } from './redis-urls.ts'

/** A command that Redis does not answer within this is a failure. */
const commandTimeoutMs = 1000

/**
 * A connection on which an answer is owed and nothing was heard for so long is given up: the other
 * side may be gone without a word.
 */
const socketTimeoutMs = 2000

/** The longest pause between two attempts to connect. */
const maxRetryMs = 1000

/** A connection that lasted so long was a good one: the pauses begin anew. */
const goodMs = 5000

/**
 * Replies of a server that takes no writes or no longer knows us: another connection may lead to
 * one that does. A script's reply has the word inside.
 */
const wrongServer = /\b(READONLY|MASTERDOWN|LOADING|NOAUTH)\b/

/** Replies that are no failure: the client, or whoever asked, acts on them. */
const answers = /^(MOVED|ASK|TRYAGAIN|NOSCRIPT)\b/

/** Options of a connection; replies are as they always were. */
export type OneOptions = Omit<RedisOptions, 'replyMapping'>

/** What every connection has in common. */
export const commonOptions = (onReplyError: (error: Error) => void) =>
  ({
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2000,
    socketTimeout: socketTimeoutMs,
    keepAlive: 10_000,
    reconnectOnError(error: Error) {
      if (answers.test(error.message)) return false
      onReplyError(error)
      return wrongServer.test(error.message)
    },
  }) satisfies OneOptions

/**
 * TLS to a server: it is asked for by its name (SNI), and its certificate is good when it is made
 * out to that name or to another of the names it is known by.
 */
export function tlsOptions(host: string, names: readonly string[]): ConnectionOptions {
  const servername = serverName(host) ?? serverName(names[0] ?? '')
  return {
    ...(servername && { servername }),
    checkServerIdentity(asked, certificate) {
      const problems = [asked, host, ...names].map(name => checkServerIdentity(name, certificate))
      return problems.includes(undefined) ? undefined : problems[0]
    },
  }
}

/** What one address says about a connection to it. */
export const addressOptions = (
  { host, port, secure, username, password, db }: RedisAddress,
  names: readonly string[] = [],
): OneOptions => ({
  host,
  port,
  db,
  ...(signIn(username, password) as OneOptions),
  ...({ tls: secure ? tlsOptions(host, names) : undefined } as OneOptions),
})

/** Both members are there in any case: they overwrite those of before. */
export const signIn = (username: string | undefined, password: string | undefined) => ({
  username,
  password,
})

/** Pauses between attempts, in ms: 100, 200 ... 1000, and anew after a connection that lasted. */
export function retryPauses(now: () => number = () => performance.now()) {
  let attempts = 0
  let readyAt = Number.POSITIVE_INFINITY
  return {
    ready() {
      readyAt = now()
    },
    next(): number {
      attempts = now() - readyAt > goodMs ? 1 : attempts + 1
      readyAt = Number.POSITIVE_INFINITY
      return Math.min(100 * attempts, maxRetryMs)
    },
  }
}

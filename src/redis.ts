import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import type { Config } from './config.ts'
import { redisFailures, type RedisFailures } from './redis-failures.ts'
import {
  addressOptions,
  commonOptions,
  retryPauses,
  signIn,
  tlsOptions,
  type OneOptions,
} from './redis-options.ts'
import { redisToken, type RedisToken } from './redis-token.ts'
import { parseRedisUrls, type RedisAddress } from './redis-urls.ts'

/**
 * The shared store, as one server or as a cluster. What is asked of it keeps to one key a command,
 * or to keys with one hash tag: `{...}`.
 */
export type RedisClient = Redis | Cluster

/** The settings that say where Redis is, and how to sign in there. */
export type RedisSettings = Pick<Config, 'REDIS_URL'> &
  Partial<Pick<Config, 'REDIS_URL_FILE' | 'REDIS_MODE' | 'REDIS_SENTINEL_NAME' | 'REDIS_AUTH'>> & {
    /** For `REDIS_AUTH=entra`, by an identity that is not the system's own. */
    readonly ENTRA_MANAGED_IDENTITY_CLIENT_ID?: string | undefined
  }

/** How long a start waits for the store; without it the service starts all the same. */
const startTimeoutMs = 1000

/** Where Redis is and how to sign in there, as it is at this moment; one address at least. */
interface Target {
  addresses(): readonly RedisAddress[]
  /** A connection was lost: whatever can be known anew is asked for. */
  lost(): void
}

/** What the URLs say; a file is read anew whenever a connection was lost. */
function urlTarget(settings: RedisSettings, failures: RedisFailures): Target {
  const { REDIS_URL: url = '', REDIS_URL_FILE: file } = settings
  function read(): RedisAddress[] {
    const found = parseRedisUrls(file === undefined ? url : readFileSync(file, 'utf8'))
    for (const { password } of found) failures.hide(password)
    return found
  }
  let known = read()
  return {
    addresses: () => known,
    lost() {
      if (file === undefined) return
      try {
        known = read()
      } catch (error) {
        // It was good at the start: what it said then is tried on.
        failures.report(new Error(`REDIS_URL_FILE: ${(error as Error).message}`))
      }
    },
  }
}

/** The same place, with a token for a password. */
const tokenTarget = (place: Target, token: RedisToken): Target => ({
  addresses: () => place.addresses().map(address => ({ ...address, ...token.current() })),
  lost() {
    place.lost()
    void token.refresh()
  },
})

/** One connection: to the server of the first URL, else the next; or to the master of sentinels. */
async function connectOne(
  { REDIS_MODE: mode, REDIS_SENTINEL_NAME: name = 'mymaster' }: RedisSettings,
  target: Target,
  failures: RedisFailures,
): Promise<Redis> {
  // Loaded only by those who have a store: it takes 20 MB.
  const { Redis: Client } = await import('ioredis')
  const sentinels = target.addresses()
  const pauses = retryPauses()
  let turn = 0
  const options = () => {
    const addresses = target.addresses()
    const address = addresses[turn % addresses.length] as RedisAddress
    return addressOptions(address, mode === 'sentinel' ? addresses.map(({ host }) => host) : [])
  }
  // Whether it is known why there is no connection.
  let told = false
  function report(error: unknown): void {
    told = true
    failures.report(error)
  }
  const all: OneOptions = {
    ...commonOptions(report),
    ...options(),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    ...(mode === 'sentinel' && {
      sentinels: sentinels.map(({ host, port }) => ({ host, port })),
      name,
      sentinelCommandTimeout: 1000,
      sentinelRetryStrategy: (attempts: number) => Math.min(100 * attempts, 1000),
      ...(sentinels[0]?.secure && {
        enableTLSForSentinelMode: true,
        sentinelTLS: tlsOptions(
          sentinels[0].host,
          sentinels.map(({ host }) => host),
        ),
      }),
    }),
    retryStrategy() {
      target.lost()
      turn += 1
      Object.assign(redis.options, options())
      return pauses.next()
    },
  }
  const redis = new Client(all)
  redis.on('ready', () => {
    told = false
    pauses.ready()
  })
  redis.on('error', report)
  redis.on('reconnecting', () => {
    if (!told) report(new Error('the server closed the connection'))
  })
  // Sentinels are asked without a password first: most have none, and some refuse one.
  redis.on('sentinelError', (error: Error) => {
    if (/NOAUTH/.test(error.message) && redis.options.sentinelPassword == null) {
      const { username, password } = redis.options
      redis.options.sentinelUsername = username ?? undefined
      redis.options.sentinelPassword = password ?? undefined
    } else report(error)
  })
  return redis
}

/** Why it failed is told by the node's own error. */
const connect = (node: Redis): Promise<void> => node.connect().catch(() => undefined)

/** A connection to every node of a cluster, found through any of the URLs. */
async function connectCluster(target: Target, failures: RedisFailures): Promise<Cluster> {
  const { Cluster: Client } = await import('ioredis')
  const pauses = retryPauses()
  const cluster = new Client(
    target.addresses().map(({ host, port }) => ({ host, port })),
    {
      enableOfflineQueue: false,
      slotsRefreshTimeout: 2000,
      // Names go on as they are: TLS needs them.
      dnsLookup: (address, callback) => callback(null, address),
      clusterRetryStrategy() {
        target.lost()
        return pauses.next()
      },
      redisOptions: commonOptions(failures.report),
    },
  )
  // A node is connected to before it is needed: while that is under way it takes no command.
  cluster.on('ready', () => {
    pauses.ready()
    for (const node of cluster.nodes('master')) void connect(node)
  })
  cluster.on('error', failures.report)
  cluster.on('node error', failures.report)
  cluster.on('+node', (node: Redis) => {
    const addresses = target.addresses()
    const [first] = addresses
    const { host = '' } = node.options
    Object.assign(
      node.options,
      signIn(first?.username, first?.password),
      first?.secure && {
        tls: tlsOptions(
          host,
          addresses.map(address => address.host),
        ),
      },
    )
    // Not before the cluster is ready: it asks its nodes itself then.
    if (cluster.status === 'ready') setImmediate(() => void connect(node))
  })
  cluster.on('-node', () => target.lost())
  return cluster
}

/** Not by events' once(): that rejects on an error, and the next attempt may be the one. */
const becomesReady = (client: RedisClient): Promise<unknown> =>
  new Promise(resolve => client.once('ready', resolve))

/** The connections that a client has. */
export const connectionsOf = (redis: RedisClient): Redis[] =>
  redis.isCluster ? (redis as Cluster).nodes('master') : [redis as Redis]

/**
 * Connects to the shared store, if there is one. Commands fail at once while it is away, and it
 * comes back by itself: after a restart, a fail-over, a connection gone deaf, a changed password.
 * `onFailure` hears every new reason why it is away, once, without secrets.
 */
export async function connectRedis(
  settings: RedisSettings,
  onFailure: (reason: string) => void = () => undefined,
): Promise<RedisClient | undefined> {
  if (settings.REDIS_URL === undefined && settings.REDIS_URL_FILE === undefined) return undefined
  const failures = redisFailures(onFailure)
  const startsAt = performance.now()
  const rest = () =>
    wait(Math.max(0, startsAt + startTimeoutMs - performance.now()), undefined, { ref: false })

  let redis: RedisClient | undefined
  let target = urlTarget(settings, failures)
  let token: RedisToken | undefined
  if (settings.REDIS_AUTH === 'entra') {
    token = redisToken({
      username: target.addresses()[0]?.username,
      managedIdentityClientId: settings.ENTRA_MANAGED_IDENTITY_CLIENT_ID,
      onToken(username, password) {
        failures.hide(password)
        for (const connection of redis ? connectionsOf(redis) : []) {
          Object.assign(connection.options, signIn(username, password))
          if (connection.status === 'ready') {
            connection.auth(username, password).catch(failures.report)
          }
        }
      },
      onFailure: failures.report,
    })
    target = tokenTarget(target, token)
    await Promise.race([token.refresh(), rest()])
  }

  redis = await (settings.REDIS_MODE === 'cluster'
    ? connectCluster(target, failures)
    : connectOne(settings, target, failures))
  redis.once('end', () => token?.close())
  await Promise.race([becomesReady(redis), rest()])
  const connections = connectionsOf(redis).filter(({ status }) => status !== 'ready')
  await Promise.race([Promise.all(connections.map(becomesReady)), rest()])
  return redis
}

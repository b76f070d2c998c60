import { setTimeout as wait } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import { connectCluster } from './redis-cluster.ts'
import { redisFailures } from './redis-failures.ts'
import { signIn } from './redis-options.ts'
import { connectOne } from './redis-single.ts'
import { tokenTarget, urlTarget, type RedisSettings } from './redis-target.ts'
import { redisToken, type RedisToken } from './redis-token.ts'

export type { RedisSettings } from './redis-target.ts'

/**
 * The shared store, as one server or as a cluster. What is asked of it keeps to one key a command,
 * or to keys with one hash tag: `{...}`.
 */
export type RedisClient = Redis | Cluster

/** How long a start waits for the store; without it the service starts all the same. */
const startTimeoutMs = 1000

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

import type { Redis } from 'ioredis'
import { untilWell, type RedisFailures } from './redis-failures.ts'
import {
  addressOptions,
  commonOptions,
  retryPauses,
  tlsOptions,
  type OneOptions,
} from './redis-options.ts'
import type { RedisSettings, RedisTarget } from './redis-target.ts'
import type { RedisAddress } from './redis-urls.ts'

/** One connection: to the server of the first URL, else the next; or to the master of sentinels. */
export async function connectOne(
  { REDIS_MODE: mode, REDIS_SENTINEL_NAME: name = 'mymaster' }: RedisSettings,
  target: RedisTarget,
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
  const { report, well, lost } = untilWell(failures)
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
    well()
    pauses.ready()
  })
  redis.on('error', report)
  redis.on('reconnecting', () => lost('the server closed the connection'))
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

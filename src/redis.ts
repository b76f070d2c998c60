import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { within } from './lib/deadline.ts'
import { ConnectorError } from './errors.ts'

/** A command that Redis does not answer within this is a failure. */
const commandTimeoutMs = 1000

/** How long a start waits for the store; without it the service starts all the same. */
const startTimeoutMs = 1000

/**
 * Connects to the shared store, if there is one. Commands fail at once while it is away, and it
 * comes back by itself. Whoever uses it hears of failures by its commands, so its own error events
 * say nothing new.
 */
export async function connectRedis(url: string | undefined): Promise<Redis | undefined> {
  if (url === undefined) return undefined
  // Loaded only by those who have a store: it takes 20 MB.
  const { Redis: Client } = await import('ioredis')
  const redis = new Client(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2000,
    retryStrategy: attempts => Math.min(100 * attempts, 1000),
  })
  redis.on('error', () => undefined)
  const ready = new Promise(resolve => redis.once('ready', resolve))
  await Promise.race([ready, wait(startTimeoutMs, undefined, { ref: false })])
  return redis
}

/** How long a check of readiness waits for the store: a probe gives up after a second. */
const checkMs = 500

/**
 * Makes sure that the store answers.
 * @throws ConnectorError `StoreUnavailable`
 */
export async function checkRedis(redis: Redis): Promise<void> {
  try {
    await within(checkMs, redis.ping())
  } catch (cause) {
    throw new ConnectorError(
      'StoreUnavailable',
      'Cannot take calls: the store does not answer',
      {},
      { cause },
    )
  }
}

import type { Redis } from 'ioredis'
import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../lib/clock.ts'
import { noObserver, type Observer } from '../telemetry/observer.ts'
import type { Limiter, Quota } from './limiter.ts'
import { memoryLimiter } from './memory.ts'
import { redisLimiter } from './redis.ts'
import { sharedLimiter } from './fallback.ts'

export interface LimiterOptions {
  readonly quota: Quota
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** @default hears nothing */
  readonly observer?: Observer | undefined
  /** What replicas share; without it this process limits by itself. */
  readonly store?: Redis | undefined
}

/** The limiter that a configuration asks for. */
export function createLimiter({
  quota,
  clock,
  log,
  store,
  observer = noObserver,
}: LimiterOptions): Limiter {
  const local = memoryLimiter(quota, clock)
  if (!store) return local
  return sharedLimiter({
    shared: redisLimiter(store, quota),
    local,
    clock,
    onChange(available, reason) {
      observer.storeChanged(available)
      if (available) log.info('limits: the store is back, replicas share their limits again')
      else log.warn({ err: reason }, 'limits: the store is away, this replica limits by itself')
    },
  })
}

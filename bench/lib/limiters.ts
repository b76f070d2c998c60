import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyRequest } from 'fastify'
import type { RedisClient } from '../../src/redis.ts'
import {
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible'
import { systemClock } from '../../src/lib/clock.ts'
import type { Limiter, Quota } from '../../src/limits/limiter.ts'
import { memoryLimiter } from '../../src/limits/memory.ts'
import { redisLimiter } from '../../src/limits/redis.ts'

/** Asks for one more call of this key: whether it is let through. */
export type Admit = (key: string) => Promise<boolean>

/** More connections than are asked of any limiter. */
const maxConnections = 200_000

const own =
  (limiter: Limiter): Admit =>
  async key =>
    (await limiter.take(key)).admitted

const flexible =
  (limiter: RateLimiterAbstract): Admit =>
  key =>
    limiter.consume(key).then(
      () => true,
      () => false,
    )

/** The plugin's check without its hook, so that only the limiter is measured. */
async function plugin({ calls, windowMs }: Quota, store: object): Promise<Admit> {
  const app = Fastify()
  const keyGenerator = (request: FastifyRequest) => request.id
  await app.register(rateLimit, {
    global: false,
    max: calls,
    timeWindow: windowMs,
    keyGenerator,
    ...store,
  })
  const check = app.createRateLimit()
  return async key => {
    const answer = await check({ id: key, routeOptions: {} } as FastifyRequest)
    return !('isExceeded' in answer && answer.isExceeded)
  }
}

/** Ours and what people would take instead: each in memory, and shared through Redis. */
export const limiters = {
  ours: {
    inMemory: async (quota: Quota): Promise<Admit> => own(memoryLimiter(quota, systemClock)),
    inRedis: async (quota: Quota, redis: RedisClient): Promise<Admit> =>
      own(redisLimiter(redis, quota)),
  },
  'rate-limiter-flexible': {
    inMemory: async ({ calls, windowMs }: Quota): Promise<Admit> =>
      flexible(new RateLimiterMemory({ points: calls, duration: windowMs / 1000 })),
    inRedis: async ({ calls, windowMs }: Quota, redis: RedisClient): Promise<Admit> =>
      flexible(
        new RateLimiterRedis({ storeClient: redis, points: calls, duration: windowMs / 1000 }),
      ),
  },
  '@fastify/rate-limit': {
    inMemory: (quota: Quota): Promise<Admit> => plugin(quota, { cache: maxConnections }),
    inRedis: (quota: Quota, redis: RedisClient): Promise<Admit> => plugin(quota, { redis }),
  },
}

import type { Redis } from 'ioredis'
import type { Limiter, Quota } from './limiter.ts'

// KEYS[1]: the connection's calls, a list of times in µs, oldest first. ARGV: calls, window in µs.
// Answers: admitted (1 or 0), calls that would be admitted now, µs until the oldest call leaves the
// window. Redis's own clock counts, so that replicas agree; a list expires with its newest call.
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local calls, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
while oldest and now - oldest >= window do
  redis.call('LPOP', KEYS[1])
  oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
end
local used = redis.call('LLEN', KEYS[1])
if used >= calls then return {0, 0, oldest + window - now} end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {1, calls - used - 1, (oldest or now) + window - now}
`

type TakeCommand = (
  key: string,
  calls: number,
  windowMicros: number,
) => Promise<[number, number, number]>

/**
 * The limiter that replicas share: one script, one round trip a call. Rejects when Redis cannot be
 * asked; the connection is its owner's to close.
 */
export function redisLimiter(redis: Redis, { calls, windowMs }: Quota): Limiter {
  redis.defineCommand('takeCall', { numberOfKeys: 1, lua: script })
  const { takeCall } = redis as unknown as { takeCall: TakeCommand }
  return {
    async take(connectionKey) {
      const key = `copilot:calls:${connectionKey}`
      const [admitted, remaining, resetMicros] = await takeCall.call(
        redis,
        key,
        calls,
        windowMs * 1000,
      )
      return { admitted: admitted === 1, remaining, resetMs: Math.ceil(resetMicros / 1000) }
    },
    close: async () => undefined,
  }
}

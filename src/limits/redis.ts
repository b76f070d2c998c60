import type { RedisClient } from '../redis.ts'
import type { Limiter, Quota } from './limiter.ts'

// KEYS[1]: a list, first its head, then the connection's calls as times in µs, oldest first.
// The head: the longest window that anybody counts by, in µs; when somebody last did; and how far
// this list's time is ahead of Redis's clock. ARGV: calls, window in µs, 1 to count a call.
// Answers: admitted (1 or 0), calls left, µs until the call leaves that is in the way, the time.
//
// - Replicas may have different windows, while a setting is changed: the longest holds for all. Who
//   asks writes its own down in the head, once in a sixteenth of it, so that it is known for as
//   long as it is used.
// - Redis's clock may be set back, or another server's clock be behind: the list's time goes on
//   from its last call, so nothing ages twice and nothing stays for ever.
// - Set forth, calls age early, and the list itself may expire: fallback.ts has an eye on that.
const countScript = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local calls, own, counted = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local longest, usedAt, ahead, changed = own, now, 0, false
local first = redis.call('LRANGE', KEYS[1], 0, 1)
local oldest = tonumber(first[2])
if oldest then
  local a, b, c = string.match(first[1], '^(%d+) (%d+) (%d+)$')
  longest, usedAt, ahead = tonumber(a), tonumber(b), tonumber(c)
  local last = math.max(usedAt, tonumber(redis.call('LINDEX', KEYS[1], -1)))
  local known = ahead
  if now >= last then ahead = 0 elseif now + ahead < last then ahead = last - now end
  changed = ahead ~= known
  now = now + ahead
  if own > longest or now - usedAt >= (own == longest and own / 16 or longest * 17 / 16) then
    longest, usedAt, changed = own, now, true
  end
end
local head = string.format('%.0f %.0f %.0f', longest, usedAt, ahead)
if oldest and now - oldest >= longest then
  redis.call('LPOP', KEYS[1])
  repeat
    redis.call('LPOP', KEYS[1])
    oldest = tonumber(redis.call('LINDEX', KEYS[1], 0))
  until not oldest or now - oldest < longest
  if oldest then redis.call('LPUSH', KEYS[1], head) end
  changed = false
end
local used = oldest and redis.call('LLEN', KEYS[1]) - 1 or 0
if changed then
  redis.call('LSET', KEYS[1], 0, head)
  redis.call('PEXPIRE', KEYS[1], math.ceil(longest / 1000))
end
if used >= calls then
  local leaving = tonumber(redis.call('LINDEX', KEYS[1], used - calls + 1))
  return {0, 0, leaving + longest - now, now}
end
local reset = oldest and oldest + longest - now or 0
if not counted then return {1, calls - used, reset, now} end
if not oldest then redis.call('RPUSH', KEYS[1], head) end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(longest / 1000))
return {1, calls - used - 1, oldest and reset or longest, now}
`

// ARGV: the time of the call to give back. A head without calls goes too.
const refundScript = `
redis.call('LREM', KEYS[1], -1, ARGV[1])
if redis.call('LLEN', KEYS[1]) == 1 then redis.call('DEL', KEYS[1]) end
`

interface Commands {
  countCall(
    key: string,
    calls: number,
    windowMicros: number,
    counted: 0 | 1,
  ): Promise<[number, number, number, number]>
  refundCall(key: string, time: number): Promise<unknown>
}

/**
 * The limiter that replicas share: one script with one key, one round trip a call. Rejects when
 * Redis cannot be asked; the connection is its owner's to close. Limiters with different prefixes
 * count by themselves.
 */
export function redisLimiter(
  redis: RedisClient,
  { calls, windowMs }: Quota,
  prefix = 'calls',
): Limiter {
  redis.defineCommand('countCall', { numberOfKeys: 1, lua: countScript })
  redis.defineCommand('refundCall', { numberOfKeys: 1, lua: refundScript })
  const commands = redis as unknown as Commands
  // Lists of the first version had no head.
  const keyOf = (connectionKey: string): string => `copilot:${prefix}:v2:${connectionKey}`

  async function count(connectionKey: string, counted: 0 | 1) {
    const [admitted, remaining, resetMicros, receipt] = await commands.countCall(
      keyOf(connectionKey),
      calls,
      windowMs * 1000,
      counted,
    )
    const allowance = {
      admitted: admitted === 1,
      remaining,
      resetMs: Math.ceil(resetMicros / 1000),
    }
    return admitted && counted ? { ...allowance, receipt } : allowance
  }

  return {
    take: connectionKey => count(connectionKey, 1),
    peek: connectionKey => count(connectionKey, 0),
    async refund(connectionKey, { receipt }) {
      if (typeof receipt === 'number') await commands.refundCall(keyOf(connectionKey), receipt)
    },
    close: async () => undefined,
  }
}

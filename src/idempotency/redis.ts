import type { RedisClient } from '../redis.ts'
import { createSecondCopy } from '../redis-copies.ts'
import { z } from 'zod'
import {
  maxKeys,
  rememberedMs,
  sharedHoldMs,
  type Claim,
  type Claimant,
  type IdempotencyStore,
  type Progress,
  type Recorded,
} from './store.ts'

// KEYS[1]: a hash with the fields body, holder, heldUntil (ms, by Redis's clock), session, prompt,
// evaluation, sending. KEYS[2]: the connection's live keys, by the time when they end. Both have
// the connection's key as their hash tag, so that they lie together in a cluster. ARGV[1..7]: name
// of the key, body hash, holder, ms to hold, ms to remember, keys at most, and what follows below.
const head = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local name, body, holder = ARGV[1], ARGV[2], ARGV[3]
local holdMs, rememberMs, maxKeys = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local fields = {'body', 'holder', 'heldUntil', 'session', 'prompt', 'evaluation', 'sending'}
local entry = {}
for at, value in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do
  entry[fields[at]] = value or nil
end
local function answer(kind)
  return {kind, entry.session or '', entry.prompt or '', entry.evaluation or '', entry.sending or ''}
end
local function hold()
  local till = string.format('%.0f', now + holdMs)
  redis.call('HSET', KEYS[1], 'body', body, 'holder', holder, 'heldUntil', till)
end
local function keep()
  redis.call('PEXPIRE', KEYS[1], rememberMs)
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + rememberMs), name)
  redis.call('PEXPIRE', KEYS[2], rememberMs)
end
local function write(from)
  for at, field in ipairs({'session', 'prompt', 'evaluation', 'sending'}) do
    local value = ARGV[from + at - 1]
    if value == '' then redis.call('HDEL', KEYS[1], field)
    else redis.call('HSET', KEYS[1], field, value) end
  end
end
`

const claimScript = `${head}
if entry.body and entry.body ~= body then return answer('reused') end
if entry.evaluation then return answer('done') end
local heldUntil = tonumber(entry.heldUntil or '0')
if entry.holder and entry.holder ~= holder and heldUntil > now then return answer('held') end
if not entry.body then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) >= maxKeys then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return {'tooMany', string.format('%.0f', oldest[2] - now)}
  end
end
hold()
if not entry.body then keep() end
return answer('mine')
`

// ARGV[7..10]: session, prompt, evaluation, sending, each empty for none.
const recordScript = `${head}
if entry.body and entry.holder ~= holder then
  if entry.evaluation then return {'done'} end
  local done, sent = ARGV[9] ~= '', ARGV[10] ~= ''
  if entry.body ~= body or not (done or (sent and not entry.sending)) then return {'lost'} end
end
hold()
write(7)
if not entry.body then keep() end
return {'mine'}
`

// ARGV[7..10] as for the record.
const releaseScript = `${head}
if entry.holder ~= holder then return {'lost'} end
if ARGV[7] == '' and ARGV[8] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], name)
else
  write(7)
  redis.call('HDEL', KEYS[1], 'holder', 'heldUntil')
end
return {'mine'}
`

// ARGV[7]: the evaluation that spent nothing.
const reopenScript = `${head}
if entry.body ~= body or entry.evaluation ~= ARGV[7] then return answer('held') end
hold()
redis.call('HDEL', KEYS[1], 'evaluation', 'sending')
entry.evaluation, entry.sending = nil, nil
return answer('mine')
`

const scripts = {
  claimKey: claimScript,
  recordKey: recordScript,
  releaseKey: releaseScript,
  reopenKey: reopenScript,
}

type Command = (key: string, index: string, ...args: (string | number)[]) => Promise<string[]>
type Commands = Readonly<Record<keyof typeof scripts, Command>>

/**
 * An id as the store gives it back: anybody who can write there could have put a path in its place.
 */
const storedId = z
  .union([z.literal(''), z.guid()])
  .optional()
  .transform(id => id || undefined)

const stored = z.object({
  kind: z.enum(['mine', 'done', 'held', 'reused', 'tooMany']),
  sessionId: storedId,
  promptId: storedId,
  evaluationId: storedId,
})

/** @throws ZodError when the store gives back what we never wrote. */
function toClaim(reply: string[]): Claim {
  const [first, second, third, fourth, sending] = reply
  if (first === 'tooMany') return { kind: 'tooMany', retryAfterMs: Number(second) }
  const { kind, ...ids } = stored.parse({
    kind: first,
    sessionId: second,
    promptId: third,
    evaluationId: fourth,
  })
  if (kind === 'done') {
    const complete = z.object({ sessionId: z.guid(), promptId: z.guid(), evaluationId: z.guid() })
    return { kind, ids: complete.parse(ids) }
  }
  if (kind === 'mine') return { kind, progress: { ...ids, sending: Boolean(sending) } }
  return { kind: kind === 'held' ? 'held' : 'reused', ids }
}

const progressArgs = ({ sessionId = '', promptId = '', evaluationId = '', sending }: Progress) => [
  sessionId,
  promptId,
  evaluationId,
  sending ? '1' : '',
]

/** The store that replicas share: each step one script, by Redis's own clock. */
export function redisIdempotency(redis: RedisClient): IdempotencyStore {
  for (const [name, lua] of Object.entries(scripts)) {
    redis.defineCommand(name, { numberOfKeys: 2, lua })
  }
  const commands = redis as unknown as Commands
  const secondCopy = createSecondCopy(redis)

  const run = (
    command: keyof Commands,
    { connectionKey, key, bodyHash, holder }: Claimant,
    ...args: string[]
  ): Promise<string[]> =>
    commands[command].call(
      redis,
      `copilot:submit:{${connectionKey}}:${key}`,
      `copilot:keys:{${connectionKey}}`,
      key,
      bodyHash,
      holder,
      sharedHoldMs,
      rememberedMs,
      maxKeys,
      ...args,
    )

  return {
    holdMs: sharedHoldMs,

    claim: async claimant => toClaim(await run('claimKey', claimant)),

    async record(claimant, progress) {
      const [kind] = await run('recordKey', claimant, ...progressArgs(progress))
      // What a fail-over may not lose: that a prompt is about to run.
      if (kind === 'mine' && progress.sending) await secondCopy()
      return kind as Recorded
    },

    async release(claimant, progress) {
      await run('releaseKey', claimant, ...progressArgs(progress))
    },

    reopen: async (claimant, evaluationId) =>
      toClaim(await run('reopenKey', claimant, evaluationId)),
  }
}

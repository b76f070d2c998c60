import { z } from 'zod'
import type { RedisClient } from '../redis.ts'
import { createSecondCopy } from '../redis-copies.ts'
import {
  keptMs,
  keptState,
  maxRuns,
  sharedClaimMs,
  type KeptRun,
  type NewRun,
  type RunClaim,
  type RunClaimant,
  type RunRecord,
  type RunRecorded,
  type RunStore,
} from './run-store.ts'

// KEYS[1]: a hash with the fields body, state (JSON), sealed, open, created, changed (ms since
// 1970), holder, heldUntil (ms, by Redis's clock). KEYS[2]: the connection's live runs, by the time
// when they end. Both have the connection's key as their hash tag, so that they lie together in a
// cluster. ARGV[1..3]: the run, the holder, ms to hold.
const head = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local name, holder, holdMs = ARGV[1], ARGV[2], tonumber(ARGV[3])
local fields = {'body', 'state', 'open', 'created', 'changed', 'holder', 'heldUntil'}
local entry = {}
for at, value in ipairs(redis.call('HMGET', KEYS[1], unpack(fields))) do
  entry[fields[at]] = value or nil
end
local function hold()
  local till = string.format('%.0f', now + holdMs)
  redis.call('HSET', KEYS[1], 'holder', holder, 'heldUntil', till)
end
local function write(from, leftMs)
  redis.call('HSET', KEYS[1], 'body', ARGV[from], 'sealed', ARGV[from + 1],
    'created', ARGV[from + 2])
  redis.call('PEXPIRE', KEYS[1], leftMs)
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + leftMs), name)
  redis.call('PEXPIRE', KEYS[2], ${keptMs})
end
`

// ARGV[4..5]: runs at most, whether to reopen. ARGV[6..]: state, and body, sealed, created of a run
// to begin.
const claimScript = `${head}
local reopen, begins = ARGV[5] ~= '', ARGV[6] ~= nil
if not entry.state then
  if not begins then return {'none'} end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
    local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    return {'tooMany', string.format('%.0f', oldest[2] - now)}
  end
  write(7, ${keptMs})
  redis.call('HSET', KEYS[1], 'state', ARGV[6], 'open', '1', 'changed', ARGV[9])
  hold()
  return {'begun', ARGV[6], ARGV[9], ARGV[9], ARGV[7], ARGV[8]}
end
if begins and entry.body ~= ARGV[7] then return {'reused'} end
local known = {entry.state, entry.created, entry.changed}
if entry.holder and entry.holder ~= holder and tonumber(entry.heldUntil or '0') > now then
  return {'held', unpack(known)}
end
if entry.open ~= '1' and not reopen then return {'ended', unpack(known)} end
hold()
known[4], known[5] = entry.body, redis.call('HGET', KEYS[1], 'sealed') or ''
return {'mine', unpack(known)}
`

// ARGV[4..8]: state, changed, open, whether the claim goes on, whether all is over. ARGV[9..]:
// body, sealed, created and ms left, when the whole of it comes.
const recordScript = `${head}
if not entry.state then
  if not ARGV[9] then return {'gone'} end
  write(9, tonumber(ARGV[12]))
elseif entry.holder ~= holder then
  return {'lost'}
end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'changed', ARGV[5], 'open', ARGV[6])
if ARGV[7] ~= '' then hold() else redis.call('HDEL', KEYS[1], 'holder', 'heldUntil') end
if ARGV[8] ~= '' then redis.call('HDEL', KEYS[1], 'sealed') end
return {'mine'}
`

const releaseScript = `${head}
if entry.holder == holder then redis.call('HDEL', KEYS[1], 'holder', 'heldUntil') end
return {'mine'}
`

const forgetScript = `${head}
if entry.holder == holder then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], name)
end
return {'mine'}
`

const scripts = {
  claimRun: claimScript,
  recordRun: recordScript,
  releaseRun: releaseScript,
  forgetRun: forgetScript,
}

type Command = (run: string, index: string, ...args: (string | number)[]) => Promise<string[]>
type Commands = Readonly<Record<keyof typeof scripts, Command>>

/** @throws SyntaxError, ZodError when the store gives back what we never wrote. */
function toRun([, state = '', createdAt, changedAt]: readonly string[]): KeptRun {
  const dates = z.object({ createdAt: z.coerce.number(), changedAt: z.coerce.number() })
  return { state: keptState.parse(JSON.parse(state)), ...dates.parse({ createdAt, changedAt }) }
}

function toClaim(reply: readonly string[]): RunClaim {
  const [kind, second, , , body = '', sealed = ''] = reply
  switch (kind) {
    case 'mine':
    case 'begun':
      return { kind: 'mine', run: { ...toRun(reply), body, sealed }, fresh: kind === 'begun' }
    case 'held':
    case 'ended':
      return { kind, run: toRun(reply) }
    case 'tooMany':
      return { kind, retryAfterMs: Number(second) }
    default:
      return { kind: z.enum(['none', 'reused']).parse(kind) }
  }
}

const flag = (set: boolean): string => (set ? '1' : '')

const wholeArgs = ({ body, sealed, createdAt }: NewRun): (string | number)[] => [
  body,
  sealed,
  createdAt,
]

/** A step whose evaluation may be created from now on: what a fail-over may not lose. */
const mayRun = ({ state: { steps } }: RunRecord): boolean => {
  const last = steps.at(-1)
  return last !== undefined && last.evaluationId === undefined
}

const sessionOf = (sessionKey: string): string => `copilot:run-session:{${sessionKey}}`

/** The store that replicas share: each step one script, by Redis's own clock. */
export function redisRuns(redis: RedisClient): RunStore {
  for (const [name, lua] of Object.entries(scripts)) {
    redis.defineCommand(name, { numberOfKeys: 2, lua })
  }
  const commands = redis as unknown as Commands
  const secondCopy = createSecondCopy(redis)

  const run = (
    command: keyof Commands,
    { connectionKey, storeId, holder }: RunClaimant,
    ...args: (string | number)[]
  ): Promise<string[]> =>
    commands[command].call(
      redis,
      `copilot:run:{${connectionKey}}:${storeId}`,
      `copilot:runs:{${connectionKey}}`,
      storeId,
      holder,
      sharedClaimMs,
      ...args,
    )

  return {
    holdMs: sharedClaimMs,

    async claim(claimant, { begin, reopen = false } = {}) {
      const first = begin ? [JSON.stringify(begin.state), ...wholeArgs(begin)] : []
      return toClaim(await run('claimRun', claimant, maxRuns, flag(reopen), ...first))
    },

    async record(claimant, record, whole) {
      const { state, createdAt, changedAt, open, hold, over } = record
      const args = [JSON.stringify(state), changedAt, flag(open), flag(hold), flag(over)]
      const left = Math.max(1, Math.min(keptMs, createdAt + keptMs - changedAt))
      const all = whole ? [...wholeArgs(whole), left] : []
      const [kind] = await run('recordRun', claimant, ...args, ...all)
      if (kind === 'mine' && mayRun(record)) await secondCopy()
      return kind as RunRecorded
    },

    async release(claimant) {
      await run('releaseRun', claimant)
    },

    async forget(claimant) {
      await run('forgetRun', claimant)
    },

    async noteSession(sessionKey, storeId, until) {
      const key = sessionOf(sessionKey)
      if (until <= 0) await redis.zrem(key, storeId)
      else {
        await redis.zadd(key, until, storeId)
        await redis.pexpire(key, keptMs)
      }
    },

    isRunning: async (sessionKey, now) =>
      (await redis.zcount(sessionOf(sessionKey), now, '+inf')) > 0,
  }
}

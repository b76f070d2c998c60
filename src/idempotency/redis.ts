import type { Redis } from 'ioredis'
import {
  heldMs,
  rememberedMs,
  type Claim,
  type IdempotencyStore,
  type RecordedIds,
} from './store.ts'

// KEYS[1]: a hash with the fields body, holder, heldUntil (ms, by Redis's clock), session, prompt,
// evaluation.
const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

// ARGV: body hash, holder, ms to hold, ms to remember. Answers: kind, session, prompt, evaluation.
const claimScript = `${now}
local entry = redis.call('HMGET', KEYS[1], 'body', 'holder', 'heldUntil', 'session', 'prompt', 'evaluation')
local body, holder, heldUntil = entry[1], entry[2], tonumber(entry[3] or '0')
if body and body ~= ARGV[1] then return {'reused'} end
local ids = {entry[4] or '', entry[5] or '', entry[6] or ''}
if entry[6] then return {'done', ids[1], ids[2], ids[3]} end
if holder and holder ~= ARGV[2] and heldUntil > now then return {'held'} end
redis.call('HSET', KEYS[1], 'body', ARGV[1], 'holder', ARGV[2], 'heldUntil', string.format('%.0f', now + ARGV[3]))
if not body then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return {'mine', ids[1], ids[2], ids[3]}
`

// ARGV: holder, ms to hold, then fields and values. Answers 1, or 0 when the claim is another's.
const recordScript = `${now}
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'heldUntil', string.format('%.0f', now + ARGV[2]))
for at = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1
`

// ARGV: holder.
const releaseScript = `
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return end
if redis.call('HEXISTS', KEYS[1], 'session') == 1 then redis.call('HDEL', KEYS[1], 'holder', 'heldUntil')
else redis.call('DEL', KEYS[1]) end
`

interface Commands {
  claimKey(
    key: string,
    bodyHash: string,
    holder: string,
    heldMs: number,
    rememberedMs: number,
  ): Promise<string[]>
  recordKey(key: string, holder: string, heldMs: number, ...fields: string[]): Promise<number>
  releaseKey(key: string, holder: string): Promise<unknown>
}

const fieldOf: Readonly<Record<keyof RecordedIds, string>> = {
  sessionId: 'session',
  promptId: 'prompt',
  evaluationId: 'evaluation',
}

function toClaim([kind, sessionId = '', promptId = '', evaluationId = '']: string[]): Claim {
  if (kind === 'reused' || kind === 'held') return { kind }
  if (kind === 'done') return { kind, ids: { sessionId, promptId, evaluationId } }
  return {
    kind: 'mine',
    ids: { sessionId: sessionId || undefined, promptId: promptId || undefined },
  }
}

const keyOf = (key: string): string => `copilot:submit:${key}`

/** The store that replicas share: each step one script, by Redis's own clock. */
export function redisIdempotency(redis: Redis): IdempotencyStore {
  redis.defineCommand('claimKey', { numberOfKeys: 1, lua: claimScript })
  redis.defineCommand('recordKey', { numberOfKeys: 1, lua: recordScript })
  redis.defineCommand('releaseKey', { numberOfKeys: 1, lua: releaseScript })
  const commands = redis as unknown as Commands

  return {
    claim: async ({ key, bodyHash, holder }) =>
      toClaim(await commands.claimKey(keyOf(key), bodyHash, holder, heldMs, rememberedMs)),

    async record({ key, holder }, ids) {
      const fields = Object.entries(ids).flatMap(([name, value]) => [
        fieldOf[name as keyof RecordedIds],
        value,
      ])
      return (await commands.recordKey(keyOf(key), holder, heldMs, ...fields)) === 1
    },

    async release({ key, holder }) {
      await commands.releaseKey(keyOf(key), holder)
    },
  }
}

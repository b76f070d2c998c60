import { ConnectorError } from './errors.ts'
import { within } from './lib/deadline.ts'
import { connectionsOf, type RedisClient } from './redis.ts'

/** The store is asked to take a write so often, in ms: what nobody uses may be gone unnoticed. */
const beatMs = 5000

/** How long such a write may take. */
const beatTimeoutMs = 1000

/** At every so many beats the store is asked whether it evicts keys: that is seldom changed. */
const beatsToPolicy = 60

export interface RedisWatchOptions {
  readonly redis: RedisClient
  /** Hears after every beat whether the store took a write, and in which time. */
  onBeat(took: boolean, ms: number): void
  /** Hears the store's `maxmemory-policy`, at first and whenever it is another one. */
  onPolicy(policy: string): void
}

export interface RedisWatch {
  /**
   * Whether the store took a write once. One that is away later makes the service degraded, not
   * unready: it still serves.
   * @throws ConnectorError `StoreUnavailable`
   */
  check(): Promise<void>
  close(): void
}

/** What the store does with keys when its memory is full; undefined when it does not say. */
async function policyOf(redis: RedisClient): Promise<string | undefined> {
  const policies = await Promise.all(
    connectionsOf(redis).map(async connection => {
      const info = await connection.info('memory').catch(() => '')
      return /^maxmemory_policy:(\S+)/m.exec(info)?.[1]
    }),
  )
  return policies.find(policy => policy !== undefined && policy !== 'noeviction') ?? policies[0]
}

/** Whether a `maxmemory-policy` throws keys away that are still needed. */
export const evicts = (policy: string): boolean => policy !== 'noeviction'

/** Keeps an eye on the store: whether it takes writes, and whether it evicts keys. */
export function watchRedis({ redis, onBeat, onPolicy }: RedisWatchOptions): RedisWatch {
  let tookOnce = false
  let beats = 0
  let policy: string | undefined

  async function beat(): Promise<void> {
    const beganAt = performance.now()
    const took = await within(beatTimeoutMs, redis.set('copilot:beat', '1', 'PX', 60_000)).then(
      () => true,
      () => false,
    )
    tookOnce ||= took
    onBeat(took, performance.now() - beganAt)
    if (!took || beats++ % beatsToPolicy > 0) return
    const found = await policyOf(redis)
    if (found !== undefined && found !== policy) onPolicy(found)
    policy = found ?? policy
  }
  const lost = () => onBeat(false, 0)
  const connected = () => {
    beats = 0
    void beat()
  }

  redis.on('ready', connected)
  redis.on('close', lost)
  const timer = setInterval(() => void beat(), beatMs)
  timer.unref()
  void beat()

  return {
    async check() {
      if (!tookOnce) await beat()
      if (tookOnce) return
      throw new ConnectorError(
        'StoreUnavailable',
        'Cannot take calls: the store has not taken a write yet',
      )
    },
    close() {
      clearInterval(timer)
      redis.off('ready', connected)
      redis.off('close', lost)
    },
  }
}

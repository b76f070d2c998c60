import type { RedisClient } from './redis.ts'

/** How long a record waits for a second copy of it, in ms, where the server has replicas. */
const copyMs = 50

/**
 * Waits until a replica of the server has what was written last, or 50 ms; not at all where it has
 * none, nor in a cluster: each key has a server of its own there, and WAIT would ask another one.
 */
export type SecondCopy = () => Promise<void>

export function createSecondCopy(redis: RedisClient): SecondCopy {
  let copies = 0
  async function count(): Promise<void> {
    if (redis.isCluster) return
    const text = await redis.info('replication')
    copies = Number(/^connected_slaves:(\d+)/m.exec(text)?.[1] ?? 0)
  }
  const countAgain = () => void count().catch(() => undefined)
  redis.on('ready', countAgain)
  if (redis.status === 'ready') countAgain()

  return async () => {
    if (copies > 0) await redis.wait(1, copyMs)
  }
}

import { connectionsOf, type RedisClient } from './redis.ts'

/** The names of the servers' own runs; those that do not say are left out. */
async function runIdsOf(redis: RedisClient): Promise<string[]> {
  const ids = await Promise.all(
    connectionsOf(redis).map(async connection => {
      const info = await connection.info('server').catch(() => '')
      return /^run_id:(\w+)/m.exec(info)?.[1] ?? []
    }),
  )
  return ids.flat()
}

/**
 * Tells when the store comes back as another process, which may have lost what it was told: it was
 * restarted, or another server took over.
 */
export function watchRestarts(redis: RedisClient, onRestart: () => void): void {
  let known: ReadonlySet<string> | undefined
  async function look(): Promise<void> {
    const found = new Set(await runIdsOf(redis))
    if (found.size === 0) return
    if (known && !found.isSubsetOf(known)) onRestart()
    known = known ? known.union(found) : found
  }
  redis.on('ready', () => void look())
  if (redis.status === 'ready') void look()
}

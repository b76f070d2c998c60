import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { connectRedis } from '../../src/redis.ts'
import { freePort } from './free-port.ts'

export interface RedisServer {
  readonly url: string
  /** A connection as the service makes it; closed when the test ends. */
  connect(): Promise<Redis>
  start(): Promise<void>
  /** Ends the server at once, as a crash does. */
  kill(): Promise<void>
  /** Stops it from answering, with its connections open. */
  freeze(): void
  thaw(): void
}

/** A Redis of the test's own, ended with it. It keeps nothing on disk. */
export async function redisServer(t: Test): Promise<RedisServer> {
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  const server: RedisServer = {
    url,
    async connect() {
      const redis = (await connectRedis(url)) as Redis
      t.teardown(() => redis.disconnect())
      return redis
    },
    async start() {
      child = spawn('redis-server', [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
      ])
      let output = ''
      for await (const chunk of child.stdout ?? []) {
        // A line may come in pieces.
        output += String(chunk)
        if (output.includes('Ready to accept connections')) return
      }
      throw new Error(`redis-server did not start: ${output}`)
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const closed = once(child, 'exit')
      child.kill('SIGKILL')
      await closed
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  }
  t.teardown(() => server.kill())
  await server.start()
  return server
}

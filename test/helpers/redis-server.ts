import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { connectRedis } from '../../src/redis.ts'
import { freePort } from './free-port.ts'

export interface RedisServer {
  readonly port: number
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

export interface RedisServerOptions {
  /** Further options, as on its command line. */
  readonly args?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
  /** @default redis-server; redis-sentinel starts with a file */
  readonly program?: readonly string[]
  /** @default a free one */
  readonly port?: number
  /** Whether the port is one for TLS only. */
  readonly tls?: boolean
}

/** A Redis of the test's own, ended with it. It keeps nothing on disk. */
export async function redisServer(
  t: Test,
  { args = [], env, program = ['redis-server'], port: given, tls }: RedisServerOptions = {},
): Promise<RedisServer> {
  const port = given ?? (await freePort())
  const url = `${tls ? 'rediss://localhost' : 'redis://127.0.0.1'}:${port}`
  const [name = '', ...first] = program
  const ports = tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)]
  const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  let child: ChildProcess | undefined

  const server: RedisServer = {
    port,
    url,
    async connect() {
      const redis = (await connectRedis({ REDIS_URL: url })) as Redis
      t.teardown(() => redis.disconnect())
      return redis
    },
    async start() {
      const all = first.length > 0 ? first : [...ports, ...options, ...args]
      child = spawn(name, all, { env: { ...process.env, ...env } })
      let output = ''
      for await (const chunk of child.stdout ?? []) {
        // A line may come in pieces.
        output += String(chunk)
        if (/Ready to accept connections|Sentinel ID is/.test(output)) {
          child.stdout?.resume()
          return
        }
      }
      throw new Error(`${name} did not start: ${output}`)
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

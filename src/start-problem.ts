/** What is known of an error of listening. */
interface ListenError {
  readonly syscall?: unknown
  readonly code?: unknown
  readonly address?: string
  readonly port?: unknown
}

const reasons: Readonly<Record<string, (port: string) => string>> = {
  EADDRINUSE: port => `the port is taken: set ${port} to another one`,
  EACCES: port => `the port needs rights that this user has not: set ${port} to one above 1023`,
  EADDRNOTAVAIL: () => 'this machine has no such address: set HOST to one that it has',
  ENOTFOUND: () => 'HOST is a name that nobody knows',
}

/** Why the service cannot listen, and which setting to change; any other error as it is. */
export function startProblem(error: unknown, env: NodeJS.ProcessEnv): unknown {
  const { syscall, code, address, port } = error as ListenError
  const name = String(port) === env['METRICS_PORT']?.trim() ? 'METRICS_PORT' : 'PORT'
  const reason = Object.hasOwn(reasons, String(code)) ? reasons[String(code)] : undefined
  if (!reason || (syscall !== 'listen' && syscall !== 'getaddrinfo')) return error
  const where = address === undefined ? 'at HOST' : `on ${address}, port ${String(port)}`
  return new Error(`Cannot listen ${where}: ${reason(name)}`, { cause: error })
}

/** Runs a start; when it cannot listen it says so in a sentence. */
export async function explained<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    throw startProblem(error, process.env)
  }
}

import { pino, type DestinationStream, type Logger } from 'pino'

interface LoggedError {
  readonly type: string
  readonly code?: unknown
  readonly message: string
  readonly stack?: string | undefined
  readonly cause?: LoggedError
}

/**
 * An error as the log may see it: these members and no others, so that nothing an error carries
 * along gets in.
 */
function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' }
  const { name: type, message, stack, cause } = error
  const { code } = error as { code?: unknown }
  return {
    type,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(cause !== undefined && { cause: loggedError(cause) }),
  }
}

/**
 * Lines go out together, after 4 kB or 100 ms and by another thread, so that no call waits for
 * whoever reads them; what was logged before the process ends is written before it ends. Beyond 16
 * MiB that nobody reads, lines are dropped: a log must not stop the service.
 */
const standardOutput = { dest: 1, minLength: 4096, periodicFlush: 100, maxLength: 16 * 1024 * 1024 }

/**
 * The service's log: one JSON object a line. Requests and replies have no serialiser: they are
 * logged member by member or not at all.
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError, req: () => undefined, res: () => undefined },
  }
  return pino(options, destination ?? pino.destination(standardOutput))
}

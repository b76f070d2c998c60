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
 * The service's log: one JSON object a line. Requests and replies have no serialiser: they are
 * logged member by member or not at all.
 */
export function createLog(level: string, destination: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError, req: () => undefined, res: () => undefined },
  }
  return pino(options, destination)
}

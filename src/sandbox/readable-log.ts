import type { FastifyBaseLogger } from 'fastify'
import type { PrettyOptions } from 'pino-pretty'
import { createLog } from '../telemetry/log.ts'
import { logOutput, type LogOutput } from '../telemetry/log-output.ts'

/** The members of a line that are shown; a line has some of them. */
type Line = Readonly<Record<string, string | number | undefined>> & {
  readonly err?: { readonly message?: string }
}

const seconds = (ms: Line[string]): string => `${(Number(ms) / 1000).toFixed(1)} s`

/** The line of a request, in the order that people read: what, how it went, how long. Pure. */
function requestText({ method, route, status, code, durationMs, graphCalls }: Line): string {
  const calls = Number(graphCalls) > 0 ? `, ${String(graphCalls)} calls to Graph` : ''
  const why = code === undefined ? '' : ` ${String(code)}`
  return `${String(method)} ${String(route ?? 'unknown path')} ${String(status)}${why} (${seconds(durationMs)}${calls})`
}

/** A line of the log in one sentence. Pure. */
export function readableText(line: Line): string {
  const { msg, place, sessionId, state, resultType, ms, err } = line
  if (msg === 'request') return requestText(line)
  if (msg === 'prompt began') {
    return `prompt ${String(place)} of session ${String(sessionId).slice(0, 8)} began`
  }
  if (msg === 'prompt ended') {
    return `prompt ${String(place)} of session ${String(sessionId).slice(0, 8)} ended: ${String(state)}, ${String(resultType)} (${seconds(ms)})`
  }
  const reason = err?.message
  return reason === undefined ? String(msg) : `${String(msg)}: ${reason}`
}

/** pino-pretty's settings: the time and one sentence, and nothing after it. */
const settings: PrettyOptions = {
  translateTime: 'SYS:HH:MM:ss',
  ignore: 'pid,hostname,reqId',
  hideObject: true,
  messageFormat: line => readableText(line as Line),
}

/** A log for people, and the output it goes to. */
export interface ReadableLog {
  readonly log: FastifyBaseLogger
  readonly output: LogOutput
}

/**
 * The service's log as lines for people on standard output, in colour where the terminal has any.
 * pino-pretty is not among what runs in production: it is loaded here only.
 * @param level of pino; one that it does not know is refused by the configuration, not here.
 */
export async function readableLog(level: string, colours: boolean): Promise<ReadableLog> {
  const { prettyFactory } = await import('pino-pretty')
  const toText = prettyFactory({ ...settings, colorize: colours, colorizeObjects: false })
  const output = logOutput({ onDropped: () => undefined })
  const known = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].includes(level)
  const log = createLog(known ? level : 'info', {
    write: (line: string) => output.write(toText(line)),
  })
  return { log, output }
}

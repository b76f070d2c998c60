import { randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../src/lib/clock.ts'
import type { Trouble } from '../../src/sandbox/graph/facts-schema.ts'

/** One call. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below the base URL. */
  readonly path: string
  readonly body?: object
  /** Whether compressed answers are asked for. @default true */
  readonly gzip?: boolean
  /** Whether a throttled call is repeated. @default true */
  readonly repeat?: boolean
}

/** What came back; status 0 if nothing did. The body is looked at and never kept. */
export interface Seen {
  readonly status: number
  /** The code of the error, if it is a single word. */
  readonly code?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly ms: number
  readonly gzip: boolean
  readonly sentId: string
  /** Of a call that was throttled: whether every 429 said how long to wait. */
  readonly retryAfter?: boolean
  readonly trouble?: Trouble
}

export type Ask = (question: Question) => Promise<Seen>

export interface AskOptions {
  readonly baseUrl: string
  /** The credentials. */
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly dispatcher: Dispatcher
}

const maxBodyBytes = 16_000_000
const maxWaitSeconds = 60
const maxRepeats = 2

const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/
const late = /TIMEOUT/

/** Why no answer came, by the code of the error. */
function troubleOf(error: unknown): Trouble {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  if (untrusted.test(code)) return 'untrusted'
  if (/proxy/i.test(message)) return 'proxy'
  return late.test(code) ? 'late' : 'unreachable'
}

/** The code of an error that Graph or the service sent, if it is a single word. */
function codeOf(body: unknown): string | undefined {
  const code = (body as { error?: { code?: unknown } } | undefined)?.error?.code
  return typeof code === 'string' && /^[A-Za-z]{1,64}$/.test(code) ? code : undefined
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw new Error('The answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer, encoding: string | undefined): unknown {
  try {
    const plain = encoding === 'gzip' ? gunzipSync(bytes, { maxOutputLength: maxBodyBytes }) : bytes
    return JSON.parse(plain.toString())
  } catch {
    return undefined
  }
}

/** Asks one server. Never throws: what goes wrong is in what was seen. */
export function createAsk({ baseUrl, headers, clock, signal, dispatcher }: AskOptions): Ask {
  const base = new URL(baseUrl)

  async function once({ method, path, body, gzip = true }: Question): Promise<Seen> {
    const sentId = randomUUID()
    const started = clock.monotonic()
    const elapsed = () => Math.max(0, Math.round(clock.monotonic() - started))
    try {
      const answer = await dispatcher.request({
        origin: base.origin,
        path: base.pathname.replace(/\/$/, '') + path,
        method,
        signal,
        headersTimeout: 60_000,
        bodyTimeout: 60_000,
        headers: {
          ...headers,
          'client-request-id': sentId,
          accept: 'application/json',
          ...(gzip && { 'accept-encoding': 'gzip' }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
      const received = Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
      )
      const bytes = await readAll(answer.body)
      const json = parse(bytes, received['content-encoding'])
      const code = codeOf(json)
      const redirected = answer.statusCode >= 300 && answer.statusCode < 400
      const html = redirected || received['content-type']?.startsWith('text/html')
      return {
        status: answer.statusCode,
        headers: received,
        body: json,
        ms: elapsed(),
        gzip,
        sentId,
        ...(code !== undefined && { code }),
        ...(html && { trouble: 'html' }),
        ...(answer.statusCode === 407 && { trouble: 'proxy' }),
      }
    } catch (error) {
      return { status: 0, headers: {}, ms: elapsed(), gzip, sentId, trouble: troubleOf(error) }
    }
  }

  return async question => {
    let seen = await once(question)
    let retryAfter: boolean | undefined
    for (let repeats = 0; seen.status === 429; repeats += 1) {
      retryAfter = (retryAfter ?? true) && 'retry-after' in seen.headers
      if (question.repeat === false || repeats === maxRepeats || signal.aborted) break
      const seconds = Number(seen.headers['retry-after'])
      const wait = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), maxWaitSeconds) : 5
      await clock.sleep(wait * 1000, signal)
      seen = await once(question)
    }
    return retryAfter === undefined ? seen : { ...seen, retryAfter }
  }
}

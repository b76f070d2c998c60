import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { IncomingMessage } from 'node:http'
import { ConnectorError, type ErrorDetail } from '../errors.ts'
import { notTakenUp, overloaded } from './bytes.ts'
import { malformedHttp } from './error-body.ts'
import { invalidRequest } from './validation.ts'

/** What is read of a body that is too large, at most, so that its sender hears the response. */
const maxDrainBytes = 32 * 1024 * 1024

export interface BodyOptions {
  readonly maxBodyBytes: number
}

const refusedBody = (detail: Omit<ErrorDetail, 'target'>): ConnectorError =>
  invalidRequest([{ ...detail, target: 'body' }])

const unsupported = (why: string): ConnectorError =>
  new ConnectorError('UnsupportedMediaType', `Cannot accept the request: ${why}`)

/** Whether a `Content-Type` is JSON in UTF-8; else why it is not. Pure. */
function mediaProblem(contentType: string | undefined): string | undefined {
  const [type = '', ...parameters] = (contentType ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json') return 'the body must be application/json'
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name.trim().toLowerCase() !== 'charset') continue
    const charset = value.trim().replace(/^"(.*)"$/, '$1')
    if (!/^utf-?8$/i.test(charset)) return 'the charset of the body must be utf-8'
  }
  return undefined
}

/** What the headers alone tell is wrong with a body. */
function headerProblem({ headers }: IncomingMessage): ConnectorError | undefined {
  const media = mediaProblem(headers['content-type'])
  if (media !== undefined) return unsupported(media)
  const coding = headers['content-encoding']?.trim() ?? ''
  if (coding !== '' && coding.toLowerCase() !== 'identity') {
    return unsupported('the body must not be compressed (Content-Encoding)')
  }
  return undefined
}

/** The text of strict UTF-8; a mark of byte order at the start is skipped. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const at = firstInvalid(bytes)
    throw refusedBody({ code: 'InvalidValue', message: `body is not UTF-8 at byte ${at}` })
  }
}

/** The first byte that begins no character of UTF-8, found by halving. */
function firstInvalid(bytes: Buffer): number {
  const isWhole = (end: number): boolean => {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, end), { stream: true })
      return true
    } catch {
      return false
    }
  }
  let [low, high] = [0, bytes.length]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (isWhole(middle)) low = middle
    else high = middle - 1
  }
  return low
}

/**
 * The chunks of a body. @throws ConnectorError when the caller leaves, or sends what is not HTTP.
 */
async function* uploaded(payload: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of payload as AsyncIterable<Buffer>) yield chunk
  } catch {
    throw malformedHttp
  }
}

/**
 * Reads the body, and counts it while it is held. A body that is refused is read to its end and
 * dropped, so that a client that still sends hears why.
 * @throws ConnectorError `PayloadTooLarge`, `UnsupportedMediaType`, `InvalidRequest`, `Overloaded`
 */
async function readBody(
  request: FastifyRequest,
  payload: IncomingMessage,
  maxBodyBytes: number,
): Promise<Buffer> {
  let refusal = headerProblem(payload)
  let chunks: Buffer[] = []
  let length = 0
  for await (const chunk of uploaded(payload)) {
    length += chunk.length
    if (length > maxDrainBytes) break
    if (length > maxBodyBytes) {
      refusal ??= new ConnectorError(
        'PayloadTooLarge',
        'Cannot accept the request: the body is over 1 MiB',
      )
    } else if (refusal === undefined && !request.bytes.hold(chunk.length)) {
      refusal = overloaded('accept the request', { headers: notTakenUp })
    }
    if (refusal) chunks = []
    else chunks.push(chunk)
  }
  if (refusal) throw refusal
  return Buffer.concat(chunks)
}

/**
 * The one reader of bodies: JSON in strict UTF-8 of at most 1 MiB, whatever the route
 * (docs/api.md#21-body).
 */
export const body = fp<BodyOptions>(
  async (app, { maxBodyBytes }) => {
    const parseJson = app.getDefaultJsonParser('error', 'error')
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
      const bytes = await readBody(request, payload, maxBodyBytes)
      const text = textOf(bytes)
      try {
        // Fastify's parser would skip a second mark of byte order.
        if (text.startsWith('\uFEFF')) throw new SyntaxError()
        return await new Promise((resolve, reject) => {
          void parseJson(request, text, (error, value) => (error ? reject(error) : resolve(value)))
        })
      } catch {
        // The parser's own message quotes the text.
        throw refusedBody({ code: 'MalformedJson', message: 'body is not well-formed JSON' })
      } finally {
        // What is kept of it is counted anew, by who keeps it.
        request.bytes.release(bytes.length)
      }
    })
  },
  { name: 'body', dependencies: ['bytes'] },
)

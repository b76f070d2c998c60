import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../lib/clock.ts'

/** How answers travel. */
export interface TransportOptions {
  /** Whether answers are compressed with gzip. @default never */
  readonly encoding?: 'never' | 'asked' | 'always' | undefined
  /** How long every call takes, on the clock. @default 0 */
  readonly latencyMs?: number | undefined
  /** How far the clock of the `Date` header is ahead. @default 0 */
  readonly skewSeconds?: number | undefined
  /** Whether there is a `request-id`. @default true */
  readonly requestId?: boolean | undefined
  /** Whether the caller's `client-request-id` is sent back. @default true */
  readonly echoesRequestId?: boolean | undefined
}

const jsonType =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8'
const diagnostic =
  '{"ServerInfo":{"DataCenter":"Simulator","Slice":"E","Ring":"0","ScaleUnit":"000"}}'

/** What happens to every call before it is looked at, and to every answer before it goes out. */
export function createTransport(
  clock: Clock,
  {
    encoding = 'never',
    latencyMs = 0,
    skewSeconds = 0,
    requestId = true,
    echoesRequestId = true,
  }: TransportOptions,
) {
  return {
    /** Graph's headers, and the time that a call takes. */
    async begin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const sent = echoesRequestId ? request.headers['client-request-id'] : undefined
      reply.headers({
        date: new Date(clock.now() + skewSeconds * 1000).toUTCString(),
        ...(requestId && { 'request-id': request.id }),
        'client-request-id': sent ?? randomUUID(),
        'x-ms-ags-diagnostic': diagnostic,
      })
      if (latencyMs > 0) await clock.sleep(latencyMs, new AbortController().signal)
    },

    /** Answers with JSON, as Graph writes it. */
    send(reply: FastifyReply, body: object): FastifyReply {
      reply.type(jsonType)
      const asked = /\bgzip\b/.test(reply.request.headers['accept-encoding'] ?? '')
      if (encoding === 'never' || (encoding === 'asked' && !asked))
        return reply.serializer(JSON.stringify).send(body)
      return reply.header('content-encoding', 'gzip').send(gzipSync(JSON.stringify(body)))
    },
  }
}

import type { Dispatcher } from 'undici'
import { decode } from './decoding.ts'
import { single } from './graph-errors.ts'

/** An HTTP response, read whole. */
export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** `undefined` when there is more of it than is read. */
  readonly text: string | undefined
}

export interface HttpLimits {
  /** For the whole call, the wait for a free connection included. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
  /** Aborts when nobody wants the response any more. */
  readonly signal: AbortSignal
  /** Asked for each piece of the response: whether there is memory for it. @default always */
  readonly hold?: ((bytes: number) => boolean) | undefined
  /** Asked when the request is about to leave: whether it still may. @default always */
  readonly maySend?: (() => boolean) | undefined
}

/** The response does not fit in what memory is left. */
export class NoMemory extends Error {
  override readonly name = 'NoMemory'
}

/** The request was not sent: it came too late to be (`maySend`), or nobody wants it any more. */
export class NotSent extends Error {
  override readonly name = 'NotSent'
}

/** The response did not come in time. */
export class LateResponse extends Error {
  override readonly name = 'LateResponse'
  /** Whether the request went out: without a free connection it did not, and never will. */
  readonly sent: boolean

  constructor(timeoutMs: number, sent: boolean) {
    super(`No response within ${timeoutMs} ms`)
    this.sent = sent
  }
}

/** Why a connection is cut: nobody hears it, the call is settled by then. */
const cut = new Error('The call is over')

// Also takes away the mark of byte order that some services write first.
const utf8 = new TextDecoder()

/**
 * Sends one request and collects its response. On undici's dispatch, not its request(): what is
 * read whole anyway needs no stream, and a timer is cheaper than an AbortSignal.
 * @throws LateResponse; NotSent; what undici throws when a connection cannot be made or breaks.
 */
export function sendHttp(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, maxBodyBytes, signal, hold = () => true, maySend = () => true }: HttpLimits,
): Promise<HttpResponse> {
  if (signal.aborted) return Promise.reject(new NotSent('Nobody wants the response any more'))
  return new Promise((resolve, reject) => {
    let head: Omit<HttpResponse, 'text'> = { status: 0, headers: {} }
    const chunks: Buffer[] = []
    let bytes = 0
    let controller: Dispatcher.DispatchController | undefined
    let settled = false
    const timer = setTimeout(
      () => give(() => reject(new LateResponse(timeoutMs, controller !== undefined))),
      timeoutMs,
    )
    const leave = () => give(() => reject(new NotSent('Nobody wants the response any more')))
    signal.addEventListener('abort', leave, { once: true })

    /** Settles the call, once; what goes on of it is cut. */
    function give(how: () => void): void {
      if (settled) return
      settled = true
      clearTimeout(timer)
      signal.removeEventListener('abort', leave)
      how()
      controller?.abort(cut)
    }

    /** A compressed response is decoded by another thread; its bound is of what comes out. */
    async function decodeLater(whole: Buffer, encoding: string): Promise<void> {
      const decoded = await decode(whole, encoding, maxBodyBytes)
      if (decoded && !hold(decoded.length)) {
        give(() => reject(new NoMemory('No memory for the response')))
      }
      give(() => resolve({ ...head, text: decoded && utf8.decode(decoded) }))
    }

    dispatcher.dispatch(request, {
      onRequestStart(started) {
        // Right before the request is written: what is aborted here is not sent.
        if (!settled && !maySend()) give(() => reject(new NotSent('It came too late to be sent')))
        controller = started
        if (settled) started.abort(cut)
      },
      onResponseStart(_controller, status, headers) {
        head = { status, headers }
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk)
        bytes += chunk.length
        if (!hold(chunk.length)) give(() => reject(new NoMemory('No memory for the response')))
        if (bytes > maxBodyBytes) give(() => resolve({ ...head, text: undefined }))
      },
      onResponseEnd() {
        // Nothing is left to cut.
        controller = undefined
        const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
        const encoding = single(head.headers['content-encoding'])
        if (encoding === undefined) give(() => resolve({ ...head, text: utf8.decode(whole) }))
        else void decodeLater(whole, encoding)
      },
      onResponseError(_controller, error) {
        controller = undefined
        give(() => reject(error))
      },
    })
  })
}

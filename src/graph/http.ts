import type { Dispatcher } from 'undici'

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
 * @throws LateResponse; what undici throws when a connection cannot be made or breaks.
 */
export function sendHttp(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, maxBodyBytes }: HttpLimits,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let head: Omit<HttpResponse, 'text'> = { status: 0, headers: {} }
    const chunks: Buffer[] = []
    let bytes = 0
    let controller: Dispatcher.DispatchController | undefined
    let late = false
    const timer = setTimeout(() => {
      late = true
      reject(new LateResponse(timeoutMs, controller !== undefined))
      controller?.abort(cut)
    }, timeoutMs)

    function settle(text: string | undefined): void {
      clearTimeout(timer)
      resolve({ ...head, text })
    }

    dispatcher.dispatch(request, {
      onRequestStart(started) {
        controller = started
        if (late) controller.abort(cut)
      },
      onResponseStart(_controller, status, headers) {
        head = { status, headers }
      },
      onResponseData(receiving, chunk) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes <= maxBodyBytes) return
        settle(undefined)
        receiving.abort(cut)
      },
      onResponseEnd() {
        settle(utf8.decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)))
      },
      onResponseError(_controller, error) {
        clearTimeout(timer)
        reject(error)
      },
    })
  })
}

import type { Dispatcher } from 'undici'

/** An HTTP answer, read whole. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** `undefined` when there is more of it than is read. */
  readonly text: string | undefined
}

export interface ExchangeLimits {
  /** For the whole exchange, the wait for a free connection included. */
  readonly timeoutMs: number
  readonly maxBodyBytes: number
}

/** The answer did not come in time. */
export class LateAnswer extends Error {
  override readonly name = 'LateAnswer'
  /** Whether the request went out: without a free connection it did not, and never will. */
  readonly sent: boolean

  constructor(timeoutMs: number, sent: boolean) {
    super(`No answer within ${timeoutMs} ms`)
    this.sent = sent
  }
}

/** Why a connection is cut: nobody hears it, the exchange is settled by then. */
const cut = new Error('The exchange is over')

// Also takes away the mark of byte order that some services write first.
const utf8 = new TextDecoder()

/**
 * Sends one request and collects its answer. On undici's dispatch, not its request(): what is read
 * whole anyway needs no stream, and a timer is cheaper than an AbortSignal.
 * @throws LateAnswer; what undici throws when a connection cannot be made or breaks.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { timeoutMs, maxBodyBytes }: ExchangeLimits,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let head: Omit<Answer, 'text'> = { status: 0, headers: {} }
    const chunks: Buffer[] = []
    let bytes = 0
    let controller: Dispatcher.DispatchController | undefined
    let late = false
    const timer = setTimeout(() => {
      late = true
      reject(new LateAnswer(timeoutMs, controller !== undefined))
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

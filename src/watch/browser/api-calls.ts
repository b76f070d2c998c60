/** A call that the page made, and how often. */
export interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly prefer: string | undefined
  readonly body: object | undefined
  status: number
  times: number
}

/** An answer of the service. */
export interface Reply {
  readonly status: number
  readonly location: string | null
  readonly retryAfterSeconds: number
  readonly body: Record<string, unknown>
}

/** An answer that is an error, in the service's words. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly reply: Reply
  constructor(reply: Reply) {
    const error = (reply.body['error'] ?? {}) as { code?: string; message?: string }
    super(`${error.code ?? `HTTP ${reply.status}`}: ${error.message ?? 'no reason was given'}`)
    this.reply = reply
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The call for a shell. The token is never shown: it is a variable. */
export function toCurl(origin: string, call: Call, signedIn: boolean): string {
  const lines = [
    `curl ${quoted(origin + call.path)}`,
    ...(signedIn ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(call.prefer === undefined ? [] : [`-H 'Prefer: ${call.prefer}'`]),
    ...(call.body === undefined
      ? []
      : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(call.body))}`]),
  ]
  return lines.join(' \\\n  ')
}

export interface CallsOptions {
  /** Path of the service's root. */
  readonly root: string
  /** The token to send; none when it is empty. */
  token(): string
  /** Hears of every call, also when one is repeated. */
  onCall(call: Call): void
}

/** What a call sends along. */
export interface SendOptions {
  readonly prefer?: string
  readonly body?: object
  readonly signal?: AbortSignal
  /** Statuses that are no errors, beside those of success. */
  readonly accept?: readonly number[]
}

/** Calls the service. @throws CallError for an answer that is an error */
export type Send = (method: Call['method'], path: string, options?: SendOptions) => Promise<Reply>

/** Calls the service, and keeps what was called. */
export function createCalls({ root, token, onCall }: CallsOptions): Send {
  const made = new Map<string, Call>()
  return async (method, path, { prefer, body, signal, accept = [] } = {}) => {
    const key = JSON.stringify([method, path, prefer, body])
    const call = made.get(key) ?? { method, path: root + path, prefer, body, status: 0, times: 0 }
    made.set(key, call)
    const headers = {
      ...(token() && { authorization: `Bearer ${token()}` }),
      ...(prefer && { prefer }),
      ...(body && { 'content-type': 'application/json' }),
    }
    const response = await fetch(root + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    call.status = response.status
    call.times += 1
    onCall(call)
    const reply = {
      status: response.status,
      location: response.headers.get('location'),
      retryAfterSeconds: Number(response.headers.get('retry-after')),
      body: (await response.json()) as Record<string, unknown>,
    }
    if (!response.ok && !accept.includes(response.status)) throw new CallError(reply)
    return reply
  }
}

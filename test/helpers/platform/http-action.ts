import type { Clock } from '../../../src/lib/clock.ts'

/** A request that an action makes. */
export interface ActionRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What an action leaves behind. */
export interface ActionOutput {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface ActionOptions {
  readonly clock: Clock
  /** Turns the asynchronous pattern off: a 202 is the output. */
  readonly disableAsyncPattern: boolean
  /** Where a public address really is. */
  resolve(url: string): string
}

// learn.microsoft.com/azure/logic-apps: the defaults of the retry policy, and of a poll that is not
// told when.
const maxRetries = 4
const retryMs = 7500
const pollMs = 20_000

const never = new AbortController().signal

const isRetried = (status: number): boolean => status === 408 || status === 429 || status >= 500

const waitOf = ({ headers }: ActionOutput, otherwiseMs: number): number =>
  headers['retry-after'] === undefined ? otherwiseMs : Number(headers['retry-after']) * 1000

async function send(request: ActionRequest, { resolve }: ActionOptions): Promise<ActionOutput> {
  const response = await fetch(resolve(request.url), {
    method: request.method.toUpperCase(),
    headers: request.headers,
    ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
    redirect: 'manual',
  })
  const text = await response.text()
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: text === '' ? null : JSON.parse(text),
  }
}

/**
 * Sends it as often as the default retry policy does: 408, 429 and 5xx again, after `Retry-After`
 * if the answer has one.
 */
async function sendWithRetries(
  request: ActionRequest,
  options: ActionOptions,
): Promise<ActionOutput> {
  for (let retries = 0; ; retries += 1) {
    const output = await send(request, options)
    if (!isRetried(output.statusCode) || retries === maxRetries) return output
    await options.clock.sleep(waitOf(output, retryMs), never)
  }
}

/**
 * An HTTP action or a connector's: retries, then follows 202 by GET on the absolute `Location`, as
 * often as `Retry-After` says, with the action's own headers, until the answer is another.
 */
export async function runHttpAction(
  request: ActionRequest,
  options: ActionOptions,
): Promise<ActionOutput> {
  const { 'Content-Type': _contentType, ...headers } = request.headers
  let output = await sendWithRetries(request, options)
  while (output.statusCode === 202 && !options.disableAsyncPattern) {
    const { location = '' } = output.headers
    if (!URL.canParse(location))
      throw new Error(`Cannot poll: Location is not absolute: ${location}`)
    await options.clock.sleep(waitOf(output, pollMs), never)
    output = await sendWithRetries({ method: 'GET', url: location, headers }, options)
  }
  return output
}

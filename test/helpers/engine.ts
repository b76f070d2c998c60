import { createHttpPoller } from '@azure/core-lro'
import type { Clock } from '../../src/lib/clock.ts'
import { request, type Reply } from './world.ts'

/** How a client gets from a submitted prompt to its answer. */
export type Engine = (base: string, body: object, clock: Clock) => Promise<Reply>

const never = new AbortController().signal

const submit = (base: string, body: object, headers: Record<string, string> = {}): Promise<Reply> =>
  request(`${base}/process-prompt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const askedToWaitMs = ({ headers }: Reply): number => Number(headers.get('retry-after')) * 1000

/**
 * As a workflow engine does: on 202 polls the absolute `Location` after `Retry-After`, until the
 * first other status.
 */
export const followLocation: Engine = async (base, body, clock) => {
  let reply = await submit(base, body)
  while (reply.status === 202) {
    const location = reply.headers.get('location') ?? ''
    if (!URL.canParse(location)) throw new Error(`Location is not absolute: ${location}`)
    await clock.sleep(askedToWaitMs(reply), never)
    reply = await request(location)
  }
  return reply
}

/**
 * As flow authors do by hand: submits, then asks Fetch prompt status every 10 s until the state is
 * `Completed`.
 */
export const loopOnStatus: Engine = async (base, body, clock) => {
  let reply = await submit(base, body, { prefer: 'respond-async' })
  const { sessionId, promptId, evaluationId } = reply.body
  while (reply.body.evaluationState !== 'Completed') {
    await clock.sleep(10_000, never)
    reply = await request(
      `${base}/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`,
    )
  }
  return reply
}

/** In one request that waits. */
export const waitInOneRequest: Engine = (base, body) => submit(base, body, { prefer: 'wait=60' })

/**
 * Through the poller of Azure's SDKs, on `Operation-Location`. It waits by real time, so the clock
 * waits in its stead.
 */
export const azurePoller: Engine = async (base, body, clock) => {
  let waitMs = 0
  const seen = (reply: Reply, method: string, url: string) => {
    waitMs = Number.isFinite(askedToWaitMs(reply)) ? askedToWaitMs(reply) : 0
    const { 'retry-after': _wait, ...headers } = Object.fromEntries(reply.headers)
    return {
      flatResponse: reply,
      rawResponse: {
        statusCode: reply.status,
        headers,
        body: reply.body,
        request: { method, url },
      },
    }
  }
  const poller = createHttpPoller<
    Reply,
    { status: 'notStarted' | 'running' | 'succeeded' | 'canceled' | 'failed' }
  >(
    {
      sendInitialRequest: async () =>
        seen(
          await submit(base, body, { prefer: 'respond-async' }),
          'POST',
          `${base}/process-prompt`,
        ),
      sendPollRequest: async url => {
        await clock.sleep(waitMs, never)
        return seen(await request(url), 'GET', url)
      },
    },
    { intervalInMs: 0 },
  )
  return poller.pollUntilDone()
}

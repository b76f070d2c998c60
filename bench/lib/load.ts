import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'

/** A request that is sent again and again. */
export interface Shot {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The one status that is right. */
  readonly status: number
}

export interface Aim {
  readonly url: string
  readonly shot: Shot
}

const parallel = 10

async function fire(pool: Pool, { method, path, headers, body, status }: Shot): Promise<void> {
  const answer = await pool.request({ method, path, headers, body: body ?? null })
  const text = await answer.body.text()
  if (answer.statusCode !== status)
    throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`)
}

/**
 * Sends so many requests, ten at a time, as fast as they are answered; stops at the first wrong
 * answer.
 */
export async function closedLoop(
  { url, shot }: Aim,
  requests: number,
  atOnce = parallel,
): Promise<void> {
  const pool = new Pool(url, { connections: atOnce })
  let left = requests
  const worker = async () => {
    while (left > 0) {
      left -= 1
      await fire(pool, shot)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  await pool.close()
}

/**
 * Calls `send` so many times a second, on time, whatever became of the calls before; waits only for
 * what it returns.
 */
export async function paced(
  perSecond: number,
  seconds: number,
  send: (sent: number) => Promise<void> | void,
): Promise<void> {
  const began = performance.now()
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const due = began + (sent * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await wait(early)
    await send(sent)
  }
}

/**
 * Sends so many requests a second, whether they are answered or not; returns the time of each, in
 * ms.
 */
export async function openLoop(
  { url, shot }: Aim,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const pool = new Pool(url, { connections: 64 })
  const times: number[] = []
  const under: Promise<void>[] = []
  await paced(perSecond, seconds, () => {
    const at = performance.now()
    under.push(fire(pool, shot).then(() => void times.push(performance.now() - at)))
  })
  await Promise.all(under)
  await pool.close()
  return times
}

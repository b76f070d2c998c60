import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { openFiles, otherCore, rssMegabytes, start } from '../lib/process.ts'
import type { Section } from '../lib/report.ts'
import { slope } from '../lib/statistics.ts'

const minutes = 10
const perSecond = 200
const faults = 0.05

/** Submits and fetches for ten minutes while a share of Graph's answers fails: nothing may grow. */
export async function soakSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', ['0', '0', String(faults)], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const authorization = ours.facts['authorization'] as string
  const pool = new Pool(ours.url, { connections: 64 })
  const statuses: Record<number, number> = {}
  let path = '/sessions/11111111-1111-4111-8111-111111111111/prompts/11111111-1111-4111-8111-111111111111/promptbook'
  async function ask(submits: boolean): Promise<void> {
    const { statusCode, body } = await pool.request({
      method: submits ? 'POST' : 'GET',
      path: submits ? '/process-prompt' : path,
      headers: { authorization, 'content-type': 'application/json', prefer: 'respond-async' },
      body: submits ? '{"PromptContent":"Hello"}' : null,
    })
    statuses[statusCode] = (statuses[statusCode] ?? 0) + 1
    const text = await body.text()
    if (!submits || statusCode !== 202) return
    const { sessionId, promptId, evaluationId } = JSON.parse(text) as Record<string, string>
    path = `/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`
  }

  const heap: number[] = []
  const rss: number[] = []
  const began = performance.now()
  const under = new Set<Promise<void>>()
  for (let sent = 0; sent < perSecond * 60 * minutes; sent += 1) {
    const due = began + (sent * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await wait(early)
    const asked: Promise<void> = ask(sent % 10 === 0).finally(() => under.delete(asked))
    under.add(asked)
    if (sent % (perSecond * 15) === perSecond * 15 - 1) {
      rss.push(rssMegabytes(ours.pid))
      heap.push((await ours.ask<{ bytes: number }>('memory')).bytes / 1e6)
    }
  }
  await Promise.all(under)
  await pool.close()
  await wait(1000)
  const files = openFiles(ours.pid)
  for (const process of [upstream, ours]) await process.stop()

  // The first quarter warms caches up.
  const settled = heap.slice(heap.length / 4)
  const growth = slope(settled) * 4
  return {
    tables: [
      {
        title: 'Soak',
        how: `${minutes} minutes at ${perSecond} requests a second, one in ten a Submit; ${faults * 100} % of Graph's answers are 503. Heap after a garbage collection, every 15 s; its slope without the first quarter, which fills caches.`,
        columns: [
          'Heap, first to last MB',
          'slope, MB a minute',
          'RSS, last MB',
          'open files at the end',
          'answers by status',
        ],
        rows: [
          [
            `${(settled[0] ?? 0).toFixed(1)} to ${(settled.at(-1) ?? 0).toFixed(1)}`,
            growth.toFixed(2),
            (rss.at(-1) ?? 0).toFixed(0),
            files,
            Object.entries(statuses)
              .map(([status, count]) => `${status}: ${count}`)
              .join(', '),
          ],
        ],
      },
    ],
    aims: [
      {
        name: 'Soak, memory',
        aim: 'slope zero',
        measured: `${growth.toFixed(2)} MB a minute`,
        met: Math.abs(growth) < 0.05,
      },
    ],
  }
}

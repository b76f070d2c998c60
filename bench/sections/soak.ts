import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'undici'
import { paced } from '../lib/load.ts'
import { otherCore, rssMegabytes, start, type Measured } from '../lib/process.ts'
import type { Section } from '../lib/report.ts'
import { slope } from '../lib/statistics.ts'

const minutes = 10
const perSecond = 200
const faults = 0.05
/** More short prompts than are remembered at once (src/copilot/memory.ts). */
const remembered = 31_000
const samplesAMinute = 4
/** Idle connections to Graph are closed after 30 s. */
const settleMs = 35_000

/** Sockets and timers that keep the process alive. */
async function openResources(process: Measured): Promise<{ sockets: number; timers: number }> {
  const { open } = await process.ask<{ open: string[] }>('resources')
  const count = (kind: string): number => open.filter(name => name === kind).length
  return { sockets: count('TCPSocketWrap'), timers: count('Timeout') }
}

/** Submits and fetches for ten minutes while a share of Graph's answers fails: nothing may grow. */
export async function soakSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', ['0', '0', String(faults)], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const authorization = ours.facts['authorization'] as string
  const pool = new Pool(ours.url, { connections: 64 })
  const statuses: Record<number, number> = {}
  let path =
    '/sessions/11111111-1111-4111-8111-111111111111/prompts/11111111-1111-4111-8111-111111111111/promptbook'
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

  const before = await openResources(ours)
  for (let sent = 0; sent < remembered; sent += 10) {
    await Promise.all(Array.from({ length: 10 }, () => ask(true)))
  }
  const submitted = { ...statuses }
  await upstream.ask('fail')

  const heap: number[] = []
  const rss: number[] = []
  const under = new Set<Promise<void>>()
  await paced(perSecond, 60 * minutes, async sent => {
    const asked: Promise<void> = ask(sent % 10 === 0).finally(() => under.delete(asked))
    under.add(asked)
    if ((sent + 1) % ((perSecond * 60) / samplesAMinute) > 0) return
    heap.push((await ours.ask<{ bytes: number }>('memory')).bytes / 1e6)
    rss.push(rssMegabytes(ours.pid))
  })
  await Promise.all(under)
  await pool.close()
  await wait(settleMs)
  const after = await openResources(ours)
  for (const process of [upstream, ours]) await process.stop()

  // The first quarter warms up.
  const settled = (values: readonly number[]): number[] => values.slice(values.length / 4)
  const growth = (values: readonly number[]): number => slope(settled(values)) * samplesAMinute
  const ends = (values: readonly number[]): string =>
    `${settled(values)[0]?.toFixed(1)} to ${settled(values).at(-1)?.toFixed(1)}`
  const leaked = after.sockets - before.sockets + after.timers - before.timers
  const answers = Object.entries(statuses)
    .map(([status, count]) => `${status}: ${count - (submitted[Number(status)] ?? 0)}`)
    .join(', ')
  return {
    tables: [
      {
        title: 'Soak',
        how: `First ${remembered} Submits, which fill the memory of prompts. Then ${minutes} minutes at ${perSecond} requests a second, one in ten a Submit; ${faults * 100} % of Graph's answers are 503. Memory after a garbage collection, every 15 s; slopes without the first quarter. Sockets and timers that keep the process alive: before, and ${settleMs / 1000} s after.`,
        columns: [
          'Heap and buffers, MB',
          'slope, MB a minute',
          'RSS, MB',
          'slope, MB a minute',
          'sockets',
          'timers',
          'answers by status',
        ],
        rows: [
          [
            ends(heap),
            growth(heap).toFixed(2),
            ends(rss),
            growth(rss).toFixed(2),
            `${before.sockets}, ${after.sockets}`,
            `${before.timers}, ${after.timers}`,
            answers,
          ],
        ],
      },
    ],
    aims: [
      {
        name: 'Soak, heap',
        aim: 'slope zero (within 0.05 MB a minute)',
        measured: `${growth(heap).toFixed(2)} MB a minute`,
        met: growth(heap) < 0.05,
      },
      {
        name: 'Soak, RSS',
        aim: 'slope zero (within 0.5 MB a minute)',
        measured: `${growth(rss).toFixed(2)} MB a minute`,
        met: growth(rss) < 0.5,
      },
      {
        name: 'Soak, sockets and timers',
        aim: 'none left over',
        measured: String(leaked),
        met: leaked <= 0,
      },
    ],
  }
}

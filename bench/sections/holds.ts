import { setTimeout as wait } from 'node:timers/promises'
import { closedLoop } from '../lib/load.ts'
import { otherCore, start } from '../lib/process.ts'
import type { Section } from '../lib/report.ts'

const held = 500
const evaluationSeconds = 16

/** Submits that wait for their evaluation: what one costs while it waits. */
export async function holdsSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', [String(evaluationSeconds)], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const headers = {
    authorization: ours.facts['authorization'] as string,
    'content-type': 'application/json',
    prefer: 'wait=60',
  }
  const shot = {
    method: 'POST' as const,
    path: '/process-prompt',
    headers,
    body: JSON.stringify({ PromptContent: 'Which users signed in from two countries today?' }),
    status: 200,
  }
  await closedLoop(
    {
      url: ours.url,
      shot: { ...shot, headers: { ...headers, prefer: 'respond-async' }, status: 202 },
    },
    1000,
  )
  const before: { bytes: number } = await ours.ask('memory')
  await upstream.ask('calls')
  await ours.ask('watch')
  const all = closedLoop({ url: ours.url, shot }, held, held)
  await wait((evaluationSeconds * 1000) / 2)
  const during: { bytes: number } = await ours.ask('memory')
  await all
  const { p99Ms }: { p99Ms: number } = await ours.ask('delay')
  const calls: Record<string, number> = await upstream.ask('calls')
  for (const process of [upstream, ours]) await process.stop()

  const kilobytes = (during.bytes - before.bytes) / held / 1000
  const polls = (calls['getEvaluation'] ?? 0) / held
  return {
    tables: [
      {
        title: 'Held Submits',
        how: `${held} at once, each waiting for an evaluation of ${evaluationSeconds} s. Memory: heap and buffers after a garbage collection, halfway, against before.`,
        columns: ['kB for each held', 'polls of each evaluation', 'event loop late, p99 ms'],
        rows: [[kilobytes.toFixed(1), polls.toFixed(1), p99Ms.toFixed(1)]],
      },
    ],
    aims: [
      {
        name: 'Held request, memory',
        aim: 'at most 20 kB',
        measured: `${kilobytes.toFixed(1)} kB`,
        met: kilobytes <= 20,
      },
    ],
  }
}

import { cells, compare, howCompared, ratioOf, type Compared } from '../lib/compare.ts'
import { otherCore, start } from '../lib/process.ts'
import type { Shot } from '../lib/load.ts'
import type { Section } from '../lib/report.ts'
import { submitted } from './fetch.ts'

/** Answers that ask nothing of Graph, and polls of `/result`, beside a Fetch. */
export async function refusalsSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const running = await start('bench/targets/upstream.ts', ['100000'], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const spent = await start('bench/targets/ours.ts', [upstream.url, '1/3600'])
  const bare = await start('bench/targets/bare.ts')
  const polled = await start('bench/targets/ours.ts', [running.url])
  const bearer = (of: typeof ours) => ({ authorization: of.facts['authorization'] as string })
  const path = await submitted(ours, bearer(ours))
  // Its one call is spent.
  await submitted(spent, bearer(spent))
  const polledPath = await submitted(polled, bearer(polled))
  const shot = (headers: Record<string, string>, status: number, of = path): Shot => ({
    method: 'GET',
    path: of,
    headers,
    status,
  })
  const targets = [
    {
      name: 'Fetch prompt status',
      process: ours,
      aim: { url: ours.url, shot: shot(bearer(ours), 200) },
    },
    {
      name: '429, the allowance is spent',
      process: spent,
      aim: { url: spent.url, shot: shot(bearer(spent), 429) },
    },
    {
      name: 'node:http, always the same answer',
      process: bare,
      aim: { url: bare.url, shot: shot(bearer(spent), 429) },
    },
    { name: '401, no credentials', process: ours, aim: { url: ours.url, shot: shot({}, 401) } },
    {
      name: '401, a token that is none',
      process: ours,
      aim: { url: ours.url, shot: shot({ authorization: 'Bearer x' }, 401) },
    },
    {
      name: '`/result`, 202 while it runs',
      process: polled,
      aim: { url: polled.url, shot: shot(bearer(polled), 202, `${polledPath}/result`) },
    },
    {
      name: '`/result`, 200 once it ended',
      process: ours,
      aim: { url: ours.url, shot: shot(bearer(ours), 200, `${path}/result`) },
    },
  ]
  const compared = await compare(targets)
  for (const process of [upstream, running, ours, spent, polled, bare]) await process.stop()

  const [fetched, refused] = compared as [Compared, Compared]
  const ofFetch = ratioOf(refused, fetched)
  return {
    tables: [
      {
        title: 'Refusals and polls',
        how: `${howCompared} All ours, but for the least that any answer of Node costs.`,
        columns: ['', 'CPU µs a request', 'of a Fetch', 'p50 ms', 'p99 ms', 'RSS MB'],
        rows: compared.map(one => [one.name, ...cells(one, fetched)]),
      },
    ],
    aims: [
      {
        name: '429, CPU',
        aim: 'at most 0.3 of a Fetch',
        measured: ofFetch.toFixed(2),
        met: ofFetch <= 0.3,
      },
    ],
  }
}

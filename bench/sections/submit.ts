import { cells, compare, howCompared, ratioOf, type Compared } from '../lib/compare.ts'
import { otherCore, start } from '../lib/process.ts'
import type { Shot } from '../lib/load.ts'
import type { Section } from '../lib/report.ts'
import { submitted } from './fetch.ts'

/** Submit without waiting: three calls to Graph in a new session, two in one that exists. */
export async function submitSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const floor = await start('bench/targets/floor.ts', [upstream.url])
  const express = await start('bench/targets/express.ts', [upstream.url])
  const authorization = ours.facts['authorization'] as string
  const [, sessionId = ''] =
    (await submitted(ours, { authorization })).split('/sessions/')[1]?.match(/^([^/]+)/) ?? []
  const shot = (body: object): Shot => ({
    method: 'POST',
    path: '/process-prompt',
    headers: { authorization, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({
      PromptContent: 'Which users signed in from two countries today?',
      ...body,
    }),
    status: 202,
  })
  const servers = {
    '**ours**': ours,
    'floor: node:http + undici': floor,
    'Express + Graph client': express,
  }
  const tables: Section['tables'][number][] = []
  const aims: Section['aims'][number][] = []
  for (const [kind, body] of Object.entries({
    'new session': {},
    'existing session': { SessionId: sessionId },
  })) {
    const compared = await compare(
      Object.entries(servers).map(([name, process]) => ({
        name,
        process,
        aim: { url: process.url, shot: shot(body) },
      })),
    )
    const [our, lowest] = compared as [Compared, Compared]
    const ofFloor = ratioOf(our, lowest)
    tables.push({
      title: `Submit without waiting, ${kind}`,
      how: howCompared,
      columns: ['', 'CPU µs a request', 'of the floor', 'p50 ms', 'p99 ms', 'RSS MB'],
      rows: compared.map(one => [one.name, ...cells(one, lowest)]),
    })
    aims.push({
      name: `Submit, CPU, ${kind}`,
      aim: 'at most 1.4 of the floor',
      measured: ofFloor.toFixed(2),
      met: ofFloor <= 1.4,
    })
  }
  for (const process of [upstream, ours, floor, express]) await process.stop()
  return { tables, aims }
}

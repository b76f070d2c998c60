import { otherCore, start } from '../lib/process.ts'
import type { Shot } from '../lib/load.ts'
import { shownSpread, type Section } from '../lib/report.ts'
import { median, spreadOf } from '../lib/statistics.ts'
import { cpuOfRounds, submitted } from './fetch.ts'

const requests = 1500

/** Submit without waiting: three calls to Graph in a new session, two in one that exists. */
export async function submitSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const floor = await start('bench/targets/floor.ts', [upstream.url])
  const express = await start('bench/targets/express.ts', [upstream.url])
  const authorization = ours.facts['authorization'] as string
  const [, sessionId = ''] = (await submitted(ours, { authorization })).split('/sessions/')[1]?.match(/^([^/]+)/) ?? []
  const shot = (body: object): Shot => ({
    method: 'POST',
    path: '/process-prompt',
    headers: { authorization, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ PromptContent: 'Which users signed in from two countries today?', ...body }),
    status: 202,
  })
  const bodies = { 'new session': {}, 'existing session': { SessionId: sessionId } }
  const servers = { '**ours**': ours, 'floor: node:http + undici': floor, 'Express + Graph client': express }
  const targets = Object.entries(bodies).flatMap(([kind, body]) =>
    Object.entries(servers).map(([name, process]) => ({
      kind,
      name,
      process,
      aim: { url: process.url, shot: shot(body) },
    })),
  )
  const cpu = await cpuOfRounds(targets, requests)
  for (const process of [upstream, ours, floor, express]) await process.stop()

  const of = (kind: string, name: string): number =>
    median(cpu[targets.findIndex(target => target.kind === kind && target.name === name)] as number[])
  const ratio = (kind: string): number => of(kind, '**ours**') / of(kind, 'floor: node:http + undici')
  return {
    tables: [
      {
        title: 'Submit without waiting',
        how: `As above, rounds of ${requests}. A new session takes three calls to Graph, an existing one two.`,
        columns: ['', 'Session', 'CPU µs a request', 'of the floor'],
        rows: targets.map(({ kind, name }, at) => [
          name,
          kind,
          shownSpread(spreadOf(cpu[at] as number[])),
          (median(cpu[at] as number[]) / of(kind, 'floor: node:http + undici')).toFixed(2),
        ]),
      },
    ],
    aims: Object.keys(bodies).map(kind => ({
      name: `Submit, CPU, ${kind}`,
      aim: 'at most 1.4 of the floor',
      measured: ratio(kind).toFixed(2),
      met: ratio(kind) <= 1.4,
    })),
  }
}

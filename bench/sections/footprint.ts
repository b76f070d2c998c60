import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { openLoop } from '../lib/load.ts'
import { nodeOptions, otherCore, rssMegabytes, start, startProgram } from '../lib/process.ts'
import type { Section } from '../lib/report.ts'
import { median } from '../lib/statistics.ts'
import { submitted } from './fetch.ts'

const perSecond = 300
const seconds = 60
const starts = 5

/**
 * The service as the container runs it: how soon it is ready, and what it weighs, idle and under
 * load.
 */
export async function footprintSection(): Promise<Section> {
  execFileSync('npm', ['run', '-s', 'build'])
  const authority = `${mkdtempSync(`${tmpdir()}/bench-`)}/authority.pem`
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const entra = await start('bench/targets/entra.ts', [authority], otherCore)
  const port = 19_000 + Math.floor(Math.random() * 1000)
  const url = `http://127.0.0.1:${port}`
  const env = {
    PORT: String(port),
    GRAPH_BASE_URL: `${upstream.url}/beta`,
    RATE_LIMIT_CALLS: '1000000',
    ENTRA_AUTHORITY: entra.url,
    ENTRA_TENANT_ID: String(entra.facts['tenantId']),
    ENTRA_CLIENT_ID: String(entra.facts['clientId']),
    ENTRA_CLIENT_SECRET: String(entra.facts['clientSecret']),
    NODE_EXTRA_CA_CERTS: authority,
    NODE_OPTIONS: nodeOptions,
  }
  const launch = async () => {
    const began = performance.now()
    const service = startProgram(process.execPath, ['dist/server.js'], url, env)
    while (!(await fetch(`${url}/readyz`).catch(() => undefined))?.ok) await wait(5)
    return { service, readyMs: performance.now() - began }
  }

  const readyMs: number[] = []
  for (let at = 0; at < starts; at += 1) {
    const launched = await launch()
    readyMs.push(launched.readyMs)
    await launched.service.stop()
  }
  const { service } = await launch()
  await wait(2000)
  const idle = rssMegabytes(service.pid)
  const headers = { authorization: String(entra.facts['authorization']) }
  const shot = {
    method: 'GET' as const,
    path: await submitted(service, headers),
    headers,
    status: 200,
  }
  const samples: number[] = []
  const sampling = setInterval(() => samples.push(rssMegabytes(service.pid)), 1000)
  await openLoop({ url, shot }, perSecond, seconds)
  clearInterval(sampling)
  for (const one of [upstream, entra, service]) await one.stop()

  const [ready, most] = [median(readyMs), Math.max(...samples)]
  return {
    tables: [
      {
        title: 'Footprint, as the container runs it',
        how: `\`node dist/server.js\`, its log written to /dev/null; ready: median of ${starts} starts; load: ${perSecond} Fetch prompt status a second for ${seconds} s.`,
        columns: ['Ready after, ms', 'RSS idle, MB', 'RSS under load, most, MB'],
        rows: [[ready.toFixed(0), idle.toFixed(0), most.toFixed(0)]],
      },
    ],
    aims: [
      {
        name: 'Start',
        aim: 'ready in under 2 s',
        measured: `${ready.toFixed(0)} ms`,
        met: ready < 2000,
      },
      {
        name: 'Memory, idle',
        aim: 'under 110 MB',
        measured: `${idle.toFixed(0)} MB`,
        met: idle < 110,
      },
      {
        name: 'Memory at 300 requests a second',
        aim: 'under 160 MB',
        measured: `${most.toFixed(0)} MB`,
        met: most < 160,
      },
    ],
  }
}

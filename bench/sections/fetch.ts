import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { closedLoop, openLoop, type Aim as Target, type Shot } from '../lib/load.ts'
import { cpuMicros, otherCore, rssMegabytes, start, startProgram, type Measured } from '../lib/process.ts'
import { micros, shownSpread, type Section } from '../lib/report.ts'
import { median, quantile, spreadOf } from '../lib/statistics.ts'
import { workspace } from '../targets/reshape.ts'

const warmUp = 3000
const roundRequests = 4000
const rounds = 5
const perSecond = 300
const seconds = 10

/** The ids of a prompt that was submitted here, as the start of a path. */
export async function submitted({ url }: Measured, headers: Record<string, string>): Promise<string> {
  const response = await fetch(`${url}/process-prompt`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ PromptContent: 'Which users signed in from two countries today?' }),
  })
  const { sessionId, promptId, evaluationId } = (await response.json()) as Record<string, string>
  return `/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`
}

/** CPU µs of a request, round by round, of all targets in turn. */
export async function cpuOfRounds(
  targets: readonly { readonly process: Measured; readonly aim: Target }[],
  requests = roundRequests,
): Promise<number[][]> {
  for (const { aim } of targets) await closedLoop(aim, Math.min(warmUp, requests))
  const results: number[][] = targets.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, { process, aim }] of targets.entries()) {
      const before = cpuMicros(process.pid)
      await closedLoop(aim, requests)
      results[at]?.push((cpuMicros(process.pid) - before) / requests)
    }
  }
  return results
}

function startNginx(graphUrl: string): Measured {
  const directory = mkdtempSync(`${tmpdir()}/bench-nginx-`)
  const port = 18_000 + Math.floor(Math.random() * 1000)
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${directory};`)
    .join(' ')
  writeFileSync(
    `${directory}/nginx.conf`,
    `daemon off; master_process off; error_log /dev/null; pid ${directory}/pid; events {}
     http {
       access_log /dev/null combined; ${paths} limit_req_zone $http_authorization zone=one:10m rate=100000r/s;
       upstream graph { server ${new URL(graphUrl).host}; keepalive 64; }
       server {
         listen 127.0.0.1:${port};
         location / {
           limit_req zone=one burst=1000 nodelay; proxy_http_version 1.1; proxy_set_header Connection '';
           proxy_set_header Authorization 'Bearer token'; proxy_pass http://graph${workspace}/;
         }
       }
     }`,
  )
  return startProgram('nginx', ['-c', `${directory}/nginx.conf`, '-p', directory], `http://127.0.0.1:${port}`)
}

/** Fetch prompt status, warm, against the floor and what people would run instead. */
export async function fetchSection(): Promise<Section> {
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const headers = { authorization: ours.facts['authorization'] as string }
  const floor = await start('bench/targets/floor.ts', [upstream.url])
  const express = await start('bench/targets/express.ts', [upstream.url])
  const proxy = await start('bench/targets/http-proxy.ts', [upstream.url])
  const nginx = startNginx(upstream.url)
  const path = await submitted(ours, headers)
  const shot = (of: string): Shot => ({ method: 'GET', path: of, headers, status: 200 })
  const targets = [
    { name: '**ours**', process: ours, aim: { url: ours.url, shot: shot(path) } },
    {
      name: 'floor: node:http + undici',
      process: floor,
      aim: { url: floor.url, shot: shot(await submitted(floor, {})) },
    },
    {
      name: 'Express + Graph client',
      process: express,
      aim: { url: express.url, shot: shot(await submitted(express, {})) },
    },
    { name: '@fastify/http-proxy, no reshaping', process: proxy, aim: { url: proxy.url, shot: shot(path) } },
    { name: 'nginx with limit_req, no reshaping', process: nginx, aim: { url: nginx.url, shot: shot(path) } },
  ]

  const cpu = await cpuOfRounds(targets)
  const direct = await openLoop({ url: upstream.url, shot: shot(workspace + path) }, perSecond, seconds)
  const latencies: number[][] = []
  const memory: number[] = []
  for (const { aim, process } of targets) {
    latencies.push(await openLoop(aim, perSecond, seconds))
    memory.push(rssMegabytes(process.pid))
  }
  for (const process of [upstream, ours, floor, express, proxy, nginx]) await process.stop()

  const medians = cpu.map(median)
  const [our = 0, lowest = 1, written = 0] = medians
  const added = latencies.map(times => ({
    p50: quantile(times, 0.5) - quantile(direct, 0.5),
    p99: quantile(times, 0.99) - quantile(direct, 0.99),
  }))
  const [ourAdded = { p50: 0, p99: 0 }] = added
  return {
    tables: [
      {
        title: 'Fetch prompt status, warm, with a bearer token',
        how: `CPU of the server's process for a request: medians of ${rounds} interleaved rounds of ${roundRequests} requests, lowest and highest behind. Added latency: against the
same call sent straight to Graph's simulator, ${perSecond} requests a second for ${seconds} s. Memory: resident, after that load. Ours verifies, limits, checks, logs and can retry; the others do none of it,
and the last two do not reshape.`,
        columns: ['', 'CPU µs a request', 'of the floor', 'added p50 ms', 'added p99 ms', 'RSS MB'],
        rows: targets.map(({ name }, at) => [
          name,
          shownSpread(spreadOf(cpu[at] as number[])),
          ((medians[at] as number) / lowest).toFixed(2),
          added[at]?.p50.toFixed(2) ?? '',
          added[at]?.p99.toFixed(2) ?? '',
          memory[at]?.toFixed(0) ?? '',
        ]),
      },
    ],
    aims: [
      {
        name: 'Fetch, CPU',
        aim: 'at most 1.6 of the floor',
        measured: (our / lowest).toFixed(2),
        met: our <= 1.6 * lowest,
      },
      {
        name: 'Fetch, CPU',
        aim: 'below every peer that does the same (Express + Graph client)',
        measured: `${micros(our)} against ${micros(written)} µs`,
        met: our < written,
      },
      {
        name: 'Fetch, added p50',
        aim: 'at most 1 ms',
        measured: `${ourAdded.p50.toFixed(2)} ms`,
        met: ourAdded.p50 <= 1,
      },
      {
        name: 'Fetch, added p99',
        aim: 'at most 3 ms',
        measured: `${ourAdded.p99.toFixed(2)} ms`,
        met: ourAdded.p99 <= 3,
      },
    ],
  }
}

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { cells, compare, howCompared, ratioOf, steady, type Compared } from '../lib/compare.ts'
import type { Shot } from '../lib/load.ts'
import { otherCore, start, startProgram, type Measured } from '../lib/process.ts'
import { micros, type Section } from '../lib/report.ts'
import { median, quantile } from '../lib/statistics.ts'
import { authorization, workspace } from '../targets/reshape.ts'

/** The ids of a prompt that was submitted here, as the start of a path. */
export async function submitted(
  { url }: Measured,
  headers: Record<string, string>,
): Promise<string> {
  const response = await fetch(`${url}/process-prompt`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ PromptContent: 'Which users signed in from two countries today?' }),
  })
  const { sessionId, promptId, evaluationId } = (await response.json()) as Record<string, string>
  return `/sessions/${sessionId}/prompts/${promptId}/evaluations/${evaluationId}`
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
           proxy_set_header Authorization '${authorization}'; proxy_pass http://graph${workspace}/;
         }
       }
     }`,
  )
  return startProgram(
    'nginx',
    ['-c', `${directory}/nginx.conf`, '-p', directory],
    `http://127.0.0.1:${port}`,
  )
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
    {
      name: '@fastify/http-proxy, no reshaping',
      process: proxy,
      aim: { url: proxy.url, shot: shot(path) },
    },
    {
      name: 'nginx with limit_req, no reshaping',
      process: nginx,
      aim: { url: nginx.url, shot: shot(path) },
    },
  ]

  const compared = await compare(targets)
  const times = await steady({ url: upstream.url, shot: shot(workspace + path) })
  for (const process of [upstream, ours, floor, express, proxy, nginx]) await process.stop()

  const [our, lowest, written] = compared as [Compared, Compared, Compared]
  const direct = { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
  const ofFloor = ratioOf(our, lowest)
  const [ourCpu, writtenCpu] = [median(our.cpu), median(written.cpu)]
  const [p50, p99] = [our.p50 - direct.p50, our.p99 - direct.p99]
  return {
    tables: [
      {
        title: 'Fetch prompt status, warm, with a bearer token',
        how: `${howCompared} Added latency: against the same call sent straight to Graph's simulator. Ours verifies, limits, checks, logs and can retry; the others do none of it, and the last two do not reshape.`,
        columns: ['', 'CPU µs a request', 'of the floor', 'added p50 ms', 'added p99 ms', 'RSS MB'],
        rows: compared.map(one => [one.name, ...cells(one, lowest, direct)]),
      },
    ],
    aims: [
      {
        name: 'Fetch, CPU',
        aim: 'at most 1.6 of the floor',
        measured: ofFloor.toFixed(2),
        met: ofFloor <= 1.6,
      },
      {
        name: 'Fetch, CPU',
        aim: 'below every peer that does the same (Express + Graph client)',
        measured: `${micros(ourCpu)} against ${micros(writtenCpu)} µs`,
        met: ourCpu < writtenCpu,
      },
      {
        name: 'Fetch, added p50',
        aim: 'at most 1 ms',
        measured: `${p50.toFixed(2)} ms`,
        met: p50 <= 1,
      },
      {
        name: 'Fetch, added p99',
        aim: 'at most 3 ms',
        measured: `${p99.toFixed(2)} ms`,
        met: p99 <= 3,
      },
    ],
  }
}

import { closedLoop } from '../lib/load.ts'
import { cpuMicros, otherCore, start, startProgram, type Measured } from '../lib/process.ts'
import type { Section, Table } from '../lib/report.ts'
import { median } from '../lib/statistics.ts'

const json = { 'content-type': 'application/json' }
const roundTripMs = 50

/** Calls admitted and their CPU, on one to three replicas that share Redis. */
async function replicasTable(): Promise<Table> {
  const port = 6392
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const redis = startProgram(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
    '',
  )
  const rows: (string | number)[][] = []
  for (const count of [1, 2, 3]) {
    const replicas: Measured[] = []
    for (let at = 0; at < count; at += 1) {
      replicas.push(
        await start('bench/targets/ours.ts', [
          upstream.url,
          '600/60',
          `redis://127.0.0.1:${port}/${count}`,
        ]),
      )
    }
    const ask = async ({ url, facts }: Measured, who: string): Promise<boolean> => {
      const response = await fetch(`${url}/sessions/x/prompts/x/promptbook`, {
        headers: { authorization: facts[who] as string },
      })
      await response.text()
      return response.status === 400
    }
    const inTurn = async (who: string, calls: number): Promise<number> => {
      let admitted = 0
      for (let call = 0; call < calls; call += 10) {
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, at) =>
            ask(replicas[(call + at) % count] as Measured, who),
          ),
        )
        admitted += answers.filter(Boolean).length
      }
      return admitted
    }
    // Another connection warms the replicas up.
    await inTurn('other', 15_000 * count)
    const before = replicas.map(({ pid }) => cpuMicros(pid))
    const calls = 2000
    const admitted = await inTurn('authorization', calls)
    const cpu = replicas.reduce(
      (sum, { pid }, at) => sum + cpuMicros(pid) - (before[at] as number),
      0,
    )
    rows.push([count, `${admitted} of ${calls}`, (cpu / calls).toFixed(0)])
    for (const replica of replicas) await replica.stop()
  }
  for (const one of [redis, upstream]) await one.stop()
  return {
    title: 'Replicas that share Redis',
    how: 'One connection, 2,000 calls in turn within a minute, to warm replicas; most are refused. CPU of all replicas together.',
    columns: ['Replicas', 'Admitted', 'CPU µs a call'],
    rows,
  }
}

/**
 * Promptbook status of longer and longer sessions, against a Graph that takes 50 ms for every
 * answer.
 */
async function promptbooks(): Promise<{ table: Table; rounds: number }> {
  const upstream = await start('bench/targets/upstream.ts', ['0', String(roundTripMs)], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const authorization = ours.facts['authorization'] as string
  const submit = async (SessionId?: string): Promise<Record<string, string>> => {
    const response = await fetch(`${ours.url}/process-prompt`, {
      method: 'POST',
      headers: { ...json, authorization, prefer: 'respond-async' },
      body: JSON.stringify({ PromptContent: 'Hello', SessionId }),
    })
    return (await response.json()) as Record<string, string>
  }
  const { sessionId = '', promptId = '' } = await submit()
  const rows: (string | number)[][] = []
  let prompts = 1
  let rounds = 0
  for (const wanted of [1, 10, 50, 200]) {
    while (prompts < wanted) {
      const more = Math.min(20, wanted - prompts)
      await Promise.all(Array.from({ length: more }, () => submit(sessionId)))
      prompts += more
    }
    const times: number[] = []
    for (let at = 0; at < 5; at += 1) {
      const began = performance.now()
      await (
        await fetch(`${ours.url}/sessions/${sessionId}/prompts/${promptId}/promptbook`, {
          headers: { authorization },
        })
      ).text()
      times.push(performance.now() - began)
    }
    rounds = median(times) / roundTripMs
    rows.push([wanted, median(times).toFixed(0), rounds.toFixed(1)])
  }
  for (const one of [upstream, ours]) await one.stop()
  const table = {
    title: 'Promptbook status of longer sessions',
    how: `Against a Graph that takes ${roundTripMs} ms for every answer, 25 prompts read at once.`,
    columns: ['Prompts', 'ms', 'round trips'],
    rows,
  }
  return { table, rounds }
}

/** Submits of larger and larger bodies. */
async function bodiesTable(): Promise<Table> {
  const upstream = await start('bench/targets/upstream.ts', [], otherCore)
  const ours = await start('bench/targets/ours.ts', [upstream.url])
  const headers = {
    ...json,
    authorization: ours.facts['authorization'] as string,
    prefer: 'respond-async',
  }
  const rows: (string | number)[][] = []
  const base = { PromptContent: 'Hello', SkillName: 'A' }
  for (const [name, bytes, inputs, requests] of [
    ['1 kB', 1000, 1, 5000],
    ['10 kB', 10_000, 1, 2000],
    ['100 kB', 100_000, 1, 500],
    ['1 MiB', 1024 * 1024 - 200, 10, 100],
  ] as const) {
    const SkillInputs = Object.fromEntries(
      Array.from({ length: inputs }, (_, at) => [`i${at}`, 'x'.repeat(bytes / inputs - 20)]),
    )
    const shot = {
      method: 'POST' as const,
      path: '/process-prompt',
      headers,
      body: JSON.stringify({ ...base, SkillInputs }),
      status: 202,
    }
    await closedLoop({ url: ours.url, shot }, requests)
    const before = cpuMicros(ours.pid)
    await closedLoop({ url: ours.url, shot }, requests)
    rows.push([name, ((cpuMicros(ours.pid) - before) / requests).toFixed(0)])
  }
  for (const one of [upstream, ours]) await one.stop()
  return {
    title: 'Submits of larger bodies',
    how: 'New session, not waiting; the size is in `SkillInputs`. From 5,000 requests of the smallest to 100 of the largest, after as many that warm up.',
    columns: ['Body', 'CPU µs a request'],
    rows,
  }
}

/** How cost grows: replicas, prompts of a session, bodies. */
export async function growthSection(): Promise<Section> {
  const { table, rounds } = await promptbooks()
  return {
    tables: [await replicasTable(), table, await bodiesTable()],
    aims: [
      {
        name: 'Promptbook status of 200 prompts',
        aim: 'within 12 round trips',
        measured: rounds.toFixed(1),
        met: rounds <= 12,
      },
    ],
  }
}

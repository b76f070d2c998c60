import { closedLoop, openLoop, type Aim } from './load.ts'
import { cpuMicros, rssMegabytes, type Measured } from './process.ts'
import { shownSpread } from './report.ts'
import { median, quantile, ratios, spreadOf } from './statistics.ts'

/** A server, and the request it is measured with. */
export interface Target {
  readonly name: string
  readonly process: Measured
  readonly aim: Aim
}

export interface Compared {
  readonly name: string
  /** CPU µs of a request, round by round. */
  readonly cpu: readonly number[]
  /** Milliseconds from request to answer, at `perSecond`. */
  readonly p50: number
  readonly p99: number
  /** Resident megabytes after that. */
  readonly rss: number
}

/**
 * So many requests until V8 has compiled what it will compile: measured, the larger programs need
 * as many.
 */
const warmUp = 20_000
const rounds = 15
const roundRequests = 2000
const perSecond = 300
const seconds = 10

export const howCompared = `CPU of the server's process for a request: median of ${rounds} interleaved rounds of ${roundRequests} requests after ${warmUp} that warm it up, lowest and highest behind; ratios are medians of the rounds' own. Latency: ${perSecond} requests a second for ${seconds} s. Memory: resident, after that.`

/** The time of each request at a steady rate, in ms. */
export const steady = (aim: Aim): Promise<number[]> => openLoop(aim, perSecond, seconds)

/**
 * Measures all targets in turn, round by round, so that what disturbs the machine disturbs all of
 * them.
 */
export async function compare(targets: readonly Target[]): Promise<Compared[]> {
  for (const { aim } of targets) await closedLoop(aim, warmUp)
  const cpu: number[][] = targets.map(() => [])
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, { process, aim }] of targets.entries()) {
      const before = cpuMicros(process.pid)
      await closedLoop(aim, roundRequests)
      cpu[at]?.push((cpuMicros(process.pid) - before) / roundRequests)
    }
  }
  const compared: Compared[] = []
  for (const [at, { name, process, aim }] of targets.entries()) {
    const times = await steady(aim)
    const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
    compared.push({ name, cpu: cpu[at] as number[], p50, p99, rss: rssMegabytes(process.pid) })
  }
  return compared
}

/** What one costs of another: the median of the ratios of rounds that were next to each other. */
export const ratioOf = (one: Compared, other: Compared): number =>
  median(ratios(one.cpu, other.cpu))

/**
 * The cells that every comparison shows: CPU, of the reference, p50 and p99 beyond `direct`,
 * memory.
 */
export function cells(one: Compared, reference: Compared, direct = { p50: 0, p99: 0 }): string[] {
  return [
    shownSpread(spreadOf(one.cpu)),
    ratioOf(one, reference).toFixed(2),
    (one.p50 - direct.p50).toFixed(2),
    (one.p99 - direct.p99).toFixed(2),
    one.rss.toFixed(0),
  ]
}

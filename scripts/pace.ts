/**
 * `node scripts/pace.ts`: how late results come and how many reads of Graph they take, for the pace
 * of src/copilot/poll-interval.ts and for others, by simulation on a virtual clock. Seeded: every
 * run prints the same tables. Times are in ms unless a name says otherwise.
 */
import { createPollPace } from '../src/copilot/poll-interval.ts'
import type { PollPace } from '../src/copilot/poll-interval.ts'

/** What one read may cost, in ms of delay, wherever delay and reads are added up. */
const readCostMs = 80
/** From the creation of an evaluation to the first time its age is looked at. */
const firstSeenMs = 300
/** A poll tells the state of Graph in the middle of its way. */
const roundTripMs = 300
const observedMs = roundTripMs / 2

export type Random = () => number

/** A small seeded generator of numbers from 0 to 1 (a Weyl sequence through a mixer). */
export function createRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

/** Draws how long an evaluation takes; `progress` goes from 0 to 1 over the simulation. */
export type Duration = (random: Random, progress: number) => number

export const logNormal =
  (medianMs: number, sigma: number): Duration =>
  random =>
    medianMs *
    Math.exp(sigma * Math.sqrt(-2 * Math.log1p(-random())) * Math.cos(2 * Math.PI * random()))

export const uniform =
  (fromMs: number, toMs: number): Duration =>
  random =>
    fromMs + (toMs - fromMs) * random()

const drifting: Duration = (random, progress) =>
  logNormal(8000 * (30 / 8) ** progress, 0.5)(random, progress)

const distributions: readonly { name: string; duration: Duration; restartAfter?: number }[] = [
  { name: 'log-normal 16.5 s, σ 0.5', duration: logNormal(16_500, 0.5) },
  { name: 'log-normal 16.5 s, σ 1.0', duration: logNormal(16_500, 1) },
  { name: 'exponential, mean 10 s', duration: random => -10_000 * Math.log1p(-random()) },
  { name: 'uniform 5 to 60 s', duration: uniform(5000, 60_000) },
  { name: '3 s (70 %) or 60 s (30 %)', duration: random => (random() < 0.7 ? 3000 : 60_000) },
  {
    name: 'the same, σ 0.15',
    duration: random => logNormal(random() < 0.7 ? 3000 : 60_000, 0.15)(random, 0),
  },
  { name: 'constant 16.5 s', duration: () => 16_500 },
  {
    name: 'Pareto from 3 s, α 1.5',
    duration: random => Math.min(3_600_000, 3000 * (1 - random()) ** (-1 / 1.5)),
  },
  { name: 'median drifts from 8 to 30 s', duration: drifting },
  {
    name: 'first 10 after a start, 16.5 s, σ 0.5',
    duration: logNormal(16_500, 0.5),
    restartAfter: 10,
  },
]

const fixed = (waitMs: (ageMs: number) => number): PollPace => ({
  note() {},
  waitMs,
  retryAfterSeconds: ageMs => Math.min(20, Math.max(2, Math.floor(ageMs / 4000))),
})

const everyTwoSeconds = (): PollPace => fixed(() => 2000)
const eighthOfAge = (): PollPace => fixed(age => Math.min(5000, Math.max(1000, age / 8)))

export interface Simulation {
  readonly duration: Duration
  readonly createPace: () => PollPace
  readonly evaluations?: number
  readonly seed?: number
  /** A new pace, that has seen nothing, after so many evaluations. */
  readonly restartAfter?: number
  /**
   * How long the first request is held, and how long each later one; absent: one poll after
   * another.
   */
  readonly holdMs?: { readonly first: number; readonly later: number }
  /** Callers that wait for the same evaluation, each starting a little after the one before. */
  readonly holders?: number
  /** For how long a read is shared with other holders; only with `holders`. */
  readonly sharedMs?: number
}

export interface Outcome {
  readonly meanDelayMs: number
  readonly p95DelayMs: number
  /** Reads of Graph for each evaluation. */
  readonly meanReads: number
}

function outcomeOf(delays: number[], meanReads: number): Outcome {
  delays.sort((a, b) => a - b)
  return {
    meanDelayMs: delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    p95DelayMs: delays[Math.floor(delays.length * 0.95)]!,
    meanReads,
  }
}

type Event = (now: number) => void

/** Events in order of time; few are outstanding at once. */
function createTimeline() {
  const events: { readonly at: number; readonly run: Event }[] = []
  return {
    at(when: number, run: Event): void {
      events.splice(events.findLastIndex(({ at }) => at >= when) + 1, 0, { at: when, run })
    },
    runAll(): void {
      for (let next = events.pop(); next; next = events.pop()) next.run(next.at)
    },
  }
}

/**
 * Follows evaluations that begin on the average every 2 s, so that several run at once and a
 * duration is noted only when a poll has told the end.
 */
export function simulate({
  duration,
  createPace,
  evaluations = 6000,
  seed = 19,
  restartAfter = Infinity,
  holdMs,
  holders = 1,
  sharedMs = 0,
}: Simulation): Outcome {
  const random = createRandom(seed)
  const { at, runAll } = createTimeline()
  const delays: number[] = []
  let reads = 0
  let pace = createPace()

  const follow = (created: number, ended: number): void => {
    const own = pace
    let told = false
    let sharedAt = -Infinity
    let sharedEnd = false

    const hold = (began: number, until: number): void => {
      const read = (now: number): void => {
        const fresh = now >= until
        if (!fresh && now - sharedAt < sharedMs) return heard(Math.max(now, sharedAt + roundTripMs))
        reads += 1
        sharedAt = now
        sharedEnd = ended <= now + observedMs
        at(now + roundTripMs, heard)
      }
      const heard = (now: number): void => {
        if (sharedEnd && now >= sharedAt + roundTripMs) return end(now)
        if (now >= until) return leave(now)
        at(Math.min(now + own.waitMs(now - created), Math.max(until, now)), read)
      }
      if (began === created + firstSeenMs) heard(began)
      else read(began)
    }
    const leave = (now: number): void => {
      const back = now + own.retryAfterSeconds(now - created) * 1000
      at(back, () => hold(back, back + (holdMs?.later ?? Infinity)))
    }
    const end = (now: number): void => {
      delays.push(now - ended)
      if (!told) own.note(ended - created)
      told = true
    }
    for (let holder = 0; holder < holders; holder += 1) {
      const began = created + firstSeenMs + holder * 370
      at(began, () => hold(began, began + (holdMs?.first ?? Infinity)))
    }
  }

  let begun = 0
  const begin = (now: number): void => {
    if (begun > 0 && begun % restartAfter === 0) pace = createPace()
    follow(now, now + duration(random, begun / evaluations))
    begun += 1
    if (begun < evaluations) at(now - 2000 * Math.log1p(-random()), begin)
  }
  begin(0)
  runAll()

  return outcomeOf(delays, reads / evaluations)
}

/**
 * The best that a schedule can do which knows the distribution (20,000 draws of it), by dynamic
 * programming backwards over ages 50 ms apart: the wait after each poll that makes delay + cost of
 * reads least.
 */
export function optimum(duration: Duration, progress: number): Outcome {
  const random = createRandom(7)
  const draws = Array.from({ length: 20_000 }, () => duration(random, progress))
  draws.sort((a, b) => a - b)
  const step = 50
  const way = observedMs / step
  const steps = Math.ceil(draws.at(-1)! / step) + 1
  const size = steps + 2 * way + 401
  // How many draws, and ms of them, ended until each step.
  const ended = new Float64Array(size)
  const endedMs = new Float64Array(size)
  let counted = 0
  let countedMs = 0
  for (let age = 0; age < size; age += 1) {
    while (counted < draws.length && draws[counted]! <= age * step) countedMs += draws[counted++]!
    ended[age] = counted
    endedMs[age] = countedMs
  }
  const cost = new Float64Array(size)
  const best = new Uint16Array(size)
  for (let age = steps + way; age >= way; age -= 1) {
    const running = readCostMs * (draws.length - ended[age - way]!)
    let least = Infinity
    for (let wait = 500 / step; wait <= 20_000 / step; wait += 1) {
      const seen = age + wait + way
      const last = seen >= size
      const told = (last ? draws.length : ended[seen]!) - ended[age - way]!
      const toldMs = (last ? countedMs : endedMs[seen]!) - endedMs[age - way]!
      const later = (seen + way) * step * told - toldMs + (cost[seen + way] ?? 0)
      if (running + later < least) {
        least = running + later
        best[age] = wait
      }
      if (last) break
    }
    cost[age] = least
  }
  const delays: number[] = []
  let reads = 0
  let index = 0
  for (let now = firstSeenMs; index < draws.length;) {
    reads += draws.length - index
    const seen = now + (best[now / step] || 10) * step + observedMs
    now = seen + observedMs
    for (; index < draws.length && draws[index]! <= seen; index += 1)
      delays.push(now - draws[index]!)
  }
  return outcomeOf(delays, reads / draws.length)
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2)
const costMs = ({ meanDelayMs, meanReads }: Outcome): number => meanDelayMs + readCostMs * meanReads
const cells = (outcome: Outcome): string =>
  [
    seconds(outcome.meanDelayMs),
    seconds(outcome.p95DelayMs),
    outcome.meanReads.toFixed(1),
    seconds(costMs(outcome)),
  ].join(' | ')

const print = (line: string) => process.stdout.write(`${line}\n`)

const columns =
  'pace | mean delay s | p95 delay s | mean reads | cost s |\n|---|---|---:|---:|---:|---:|'

/** A drift has no single optimum: the mean of five moments stands for all. */
function optimumOf(duration: Duration): Outcome {
  const moments = duration === drifting ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0]
  const outcomes = moments.map(moment => optimum(duration, moment))
  const mean = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length
  return {
    meanDelayMs: mean(({ meanDelayMs }) => meanDelayMs),
    p95DelayMs: mean(({ p95DelayMs }) => p95DelayMs),
    meanReads: mean(({ meanReads }) => meanReads),
  }
}

/** One poll after another, until the end. */
function printPolls(): void {
  print(`| evaluations | ${columns}`)
  for (const { name, duration, restartAfter } of distributions) {
    const world = { duration, ...(restartAfter && { restartAfter }) }
    const row = (pace: string, outcome: Outcome) =>
      print(`| ${name} | ${pace} | ${cells(outcome)} |`)
    row('seen of late', simulate({ ...world, createPace: createPollPace }))
    row('every 2 s', simulate({ ...world, createPace: everyTwoSeconds }))
    row('age / 8, 1 to 5 s', simulate({ ...world, createPace: eighthOfAge }))
    row('optimum, known beforehand', optimumOf(duration))
  }
}

const withRetryAfter = (retryAfterSeconds: PollPace['retryAfterSeconds']) => (): PollPace => ({
  ...createPollPace(),
  retryAfterSeconds,
})

/** Requests that are held, with Retry-After between them. */
function printHolds(): void {
  print(`\n| requests | ${columns}`)
  const row = (name: string, pace: string, world: Simulation) =>
    print(`| ${name} | ${pace} | ${cells(simulate(world))} |`)
  const createPace = createPollPace
  const submit = 'Submit held 60 s, then /result 20 s; log-normal 16.5 s, σ 0.5'
  const held = { duration: logNormal(16_500, 0.5), holdMs: { first: 60_000, later: 20_000 } }
  row(submit, 'seen of late', { ...held, createPace })
  row(submit, 'every 2 s', { ...held, createPace: everyTwoSeconds })
  row(submit, 'age / 8, 1 to 5 s', { ...held, createPace: eighthOfAge })
  const shared = { ...held, createPace, holders: 3 }
  row(`${submit}; 3 holders share reads 0.4 s`, 'seen of late', { ...shared, sharedMs: 400 })
  row(`${submit}; 3 holders share reads 0.9 s`, 'seen of late', { ...shared, sharedMs: 900 })

  const result = '/result held 20 s; 60 to 300 s'
  const long = { duration: uniform(60_000, 300_000), holdMs: { first: 0, later: 20_000 } }
  const twoSeconds = withRetryAfter(() => 2)
  const quarterOfAge = withRetryAfter(fixed(() => 0).retryAfterSeconds)
  row(result, 'seen of late', { ...long, createPace })
  row(result, 'seen of late, Retry-After 2', { ...long, createPace: twoSeconds })
  row(result, 'seen of late, Retry-After age / 4', { ...long, createPace: quarterOfAge })
  row(result, 'age / 8, Retry-After age / 4', { ...long, createPace: eighthOfAge })
  const unheld = { ...long, holdMs: { first: 0, later: 0 } }
  row('/result not held; 60 to 300 s', 'seen of late', { ...unheld, createPace })
  row('/result not held; 60 to 300 s', 'Retry-After age / 4', {
    ...unheld,
    createPace: eighthOfAge,
  })
}

if (import.meta.main) {
  print(`Cost: mean delay + ${readCostMs / 1000} s a read. Graph at ${roundTripMs / 1000} s.\n`)
  printPolls()
  printHolds()
}

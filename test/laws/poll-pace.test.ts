import fc from 'fast-check'
import t from 'tap'
import { createPollPace } from '../../src/copilot/poll-interval.ts'
import { createSeenDurations, edgesMs } from '../../src/copilot/seen-durations.ts'

const numRuns = Number(process.env['LAW_RUNS'] ?? 100)

const plausible = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.double({ min: 0, max: 86_400_000, noNaN: true }),
)
const anything = fc.oneof(plausible, fc.double(), fc.integer(), fc.constantFrom(-0, ...edgesMs))
const durations = (one: fc.Arbitrary<number>) => fc.array(one, { maxLength: 400 })

const paceAfter = (seen: readonly number[]) => {
  const pace = createPollPace()
  for (const duration of seen) pace.note(duration)
  return pace
}

t.test('whatever is noted and asked, a wait is a whole number from 500 to 20,000', async () => {
  fc.assert(
    fc.property(durations(anything), fc.array(anything, { minLength: 1 }), (seen, ages) => {
      const pace = paceAfter(seen)
      return ages.every(age => {
        const wait = pace.waitMs(age)
        return Number.isInteger(wait) && wait >= 500 && wait <= 20_000
      })
    }),
    { numRuns },
  )
})

t.test('Retry-After is a whole number from 2 to 20, near the wait or the age', async () => {
  fc.assert(
    fc.property(durations(anything), anything, (seen, age) => {
      const pace = paceAfter(seen)
      const seconds = pace.retryAfterSeconds(age)
      return (
        Number.isInteger(seconds) &&
        seconds >= 2 &&
        seconds <= 20 &&
        seconds <= Math.max(2, Math.ceil(pace.waitMs(age) / 1000))
      )
    }),
    { numRuns },
  )
})

t.test('what cannot be true changes nothing, wherever it comes between', async () => {
  const untrue = fc.oneof(
    fc.double({ max: -Number.MIN_VALUE }),
    fc.double({ min: 86_400_001 }),
    fc.constantFrom(Number.NaN, Infinity, -Infinity),
  )
  const noted = fc.oneof(
    plausible.map(duration => ({ duration, counts: true })),
    untrue.map(duration => ({ duration, counts: false })),
  )
  fc.assert(
    fc.property(fc.array(noted, { maxLength: 100 }), plausible, (seen, age) => {
      const all = paceAfter(seen.map(({ duration }) => duration))
      const counted = paceAfter(seen.filter(({ counts }) => counts).map(({ duration }) => duration))
      return all.waitMs(age) === counted.waitMs(age)
    }),
    { numRuns },
  )
})

t.test('beyond every duration seen, waits do not fall, and reach 20 s', async () => {
  const ages = fc.array(fc.integer({ min: 0, max: 3_600_000 }), { minLength: 2, maxLength: 50 })
  fc.assert(
    fc.property(durations(plausible), ages, (seen, later) => {
      const pace = paceAfter(seen)
      // A poll tells what was half its way ago.
      const beyond = Math.max(0, ...seen) + 150
      const waits = later.toSorted((a, b) => a - b).map(age => pace.waitMs(beyond + age))
      return (
        waits.every((wait, index) => index === 0 || wait >= waits[index - 1]!) &&
        pace.waitMs(beyond + 3_600_000) === 20_000
      )
    }),
    { numRuns },
  )
})

t.test('an evaluation that never ends is polled at most 300 times in its first hour', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 400 }), seen => {
      const pace = paceAfter(seen)
      let polls = 0
      for (let age = 300; age < 3_600_000; age += pace.waitMs(age) + 300) polls += 1
      return polls <= 300
    }),
    { numRuns },
  )
})

t.test('what is kept is bounded: the weights of all durations stay below the memory', async () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.array(plausible, { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 1, max: 100 }),
      (memory, some, times) => {
        const seen = createSeenDurations(memory)
        for (let time = 0; time < times; time += 1) for (const one of some) seen.note(one)
        const { ends } = seen.expected()
        const weight = ends.reduce((sum, one) => sum + one, 0)
        return ends.length === edgesMs.length - 1 && weight > 0.9 && weight <= memory + 1e-6
      },
    ),
    { numRuns },
  )
})

t.test('old durations fade: after enough new ones, they no longer count', async () => {
  fc.assert(
    fc.property(durations(plausible), fc.integer({ min: 1000, max: 300_000 }), (old, now) => {
      const news = Array.from({ length: 3200 }, () => now)
      return paceAfter([...old, ...news]).waitMs(now) === paceAfter(news).waitMs(now)
    }),
    { numRuns: Math.min(numRuns, 200) },
  )
})

t.test('a call takes under 5 µs in the mean', async t => {
  const pace = createPollPace()
  const calls = 20_000
  const round = (): number => {
    const began = process.cpuUsage().user
    for (let call = 0; call < calls; call += 1) {
      pace.note((call * 7919) % 60_000)
      pace.waitMs((call * 104_729) % 120_000)
    }
    return (process.cpuUsage().user - began) / (2 * calls)
  }
  // The best of some rounds: the first ones warm up, and others use the machine too.
  const best = Math.min(...Array.from({ length: 5 }, round))
  t.ok(best < 5, `${best} µs`)
})

import t from 'tap'
import { logNormal, optimum, simulate, uniform } from '../../scripts/pace.ts'
import { createPollPace } from '../../src/copilot/poll-interval.ts'
import { edgesMs } from '../../src/copilot/seen-durations.ts'
import type { PollPace } from '../../src/copilot/poll-interval.ts'

const seen = (...durationsMs: readonly number[]): PollPace => {
  const pace = createPollPace()
  for (const duration of durationsMs) pace.note(duration)
  return pace
}

const many = (durationMs: number, count = 200): number[] =>
  Array.from({ length: count }, () => durationMs)

/** The ages at which an evaluation that does not end is polled. */
function pollsOf(pace: PollPace, untilMs: number): number[] {
  const ages: number[] = []
  for (let age = 300; age < untilMs; age += 300) {
    age += pace.waitMs(age)
    ages.push(age)
  }
  return ages
}

t.test('with nothing seen', async t => {
  await t.test('the interval grows with the age, from about 1 s to 20 s', async t => {
    const pace = createPollPace()
    const ages = [0, 1000, 5000, 20_000, 60_000, 120_000, 200_000, 3_600_000]
    const waits = ages.map(age => pace.waitMs(age))
    t.same(
      waits,
      waits.toSorted((a, b) => a - b),
    )
    t.ok(waits[0]! >= 900 && waits[0]! <= 1500, `${waits[0]} ms at first`)
    t.equal(waits.at(-1), 20_000)
  })

  await t.test('Retry-After is 2 at first and 20 at most', async t => {
    const pace = createPollPace()
    t.equal(pace.retryAfterSeconds(0), 2)
    t.equal(pace.retryAfterSeconds(3_600_000), 20)
  })
})

t.test('polls lie where evaluations end', async t => {
  await t.test('few before the shortest duration, close together from there on', async t => {
    const pace = seen(...Array.from({ length: 200 }, (_, index) => 60_000 + index * 1000))
    const early = pollsOf(pace, 50_000)
    t.ok(early.length <= 6, `${early.length} polls in the first 50 s`)
    t.ok(pace.waitMs(100_000) < pace.waitMs(20_000))
    t.ok(pace.waitMs(250_000) < pace.waitMs(100_000), 'the fewer are left, the sooner one ends')
  })

  await t.test('quick and long evaluations together: both are polled, the gap hardly', async t => {
    const pace = seen(...many(2000).flatMap((quick, index) => (index % 2 ? [quick] : [120_000])))
    const polls = pollsOf(pace, 125_000)
    t.ok(polls.some(age => age >= 2000 && age < 3500))
    t.ok(polls.filter(age => age > 4000 && age < 100_000).length <= 12)
    t.ok(polls.some(age => age >= 119_900 && age < 123_000))
  })

  await t.test('a single quick one among long ones is found before the long ones end', async t => {
    const polls = pollsOf(seen(...many(120_000)), 100_000)
    t.ok(polls[0]! < 21_000)
  })

  await t.test(
    'few long ones do not make a quick one impossible, many make it unlikely',
    async t => {
      const afterFew = seen(...many(60_000, 10)).waitMs(300)
      const afterMany = seen(...many(60_000)).waitMs(300)
      t.ok(afterFew < 4000, `${afterFew} ms`)
      t.ok(afterMany > 10_000, `${afterMany} ms`)
    },
  )

  await t.test('old durations fade', async t => {
    const pace = seen(...many(60_000))
    const before = pace.waitMs(4000)
    for (const duration of many(5000, 1000)) pace.note(duration)
    t.ok(before > 5000)
    t.equal(pace.waitMs(4700), 500)
  })

  await t.test('the first durations count at once', async t => {
    const pace = createPollPace()
    const before = pace.waitMs(20_000)
    pace.note(20_000)
    t.ok(pace.waitMs(20_000) < before / 2)
  })

  await t.test('what never ends (waitingForInput) is soon polled every 20 s', async t => {
    const pace = seen(...many(16_500))
    t.equal(pace.waitMs(300_000), 20_000)
    t.ok(pollsOf(pace, 3_600_000).length < 220)
  })

  await t.test('quick evaluations are polled every 0.5 s and not more often', async t => {
    const pace = seen(...many(700))
    t.equal(pace.waitMs(800), 500)
  })

  await t.test('durations beyond half an hour are counted, and polled every 20 s', async t => {
    t.equal(seen(...many(3_600_000)).waitMs(1_200_000), 20_000)
  })

  await t.test('the newest count as much after thousands as after ten', async t => {
    const waits = [10, 3000].map(count => {
      const pace = createPollPace({ memory: 2 })
      for (const duration of many(16_500, count)) pace.note(duration)
      return pace.waitMs(15_000)
    })
    t.ok(Math.abs(waits[0]! - waits[1]!) <= 2, waits.join(' and '))
  })

  await t.test('an age a hair below the longest duration seen is an age like others', async t => {
    for (const edge of edgesMs.slice(1)) {
      const pace = createPollPace({ roundTripMs: 0 })
      pace.note(edge / 1.2)
      for (const above of edgesMs) {
        const wait = pace.waitMs(above * (1 - Number.EPSILON / 2))
        if (!(wait >= 500 && wait <= 20_000)) t.fail(`${wait} ms at ${above}`)
      }
    }
  })
})

t.test('durations that cannot be true change nothing', async t => {
  const pace = seen(16_500, 20_000, 12_000)
  const ages = [0, 5000, 16_500, 100_000]
  const before = ages.map(age => pace.waitMs(age))
  const yearOne = Date.parse('0001-01-01T00:00:00Z')
  const today = Date.parse('2026-08-21T00:00:00Z')
  const untrue = [-1, Number.NaN, Infinity, -Infinity, yearOne - today, today - yearOne]
  for (const duration of untrue) for (let time = 0; time < 50; time += 1) pace.note(duration)
  t.same(
    ages.map(age => pace.waitMs(age)),
    before,
  )
})

t.test('an age that cannot be true counts as none, an endless one as a day', async t => {
  const pace = seen(...many(16_500))
  for (const age of [-600_000, Number.NaN, -Infinity]) {
    t.equal(pace.waitMs(age), pace.waitMs(0))
    t.equal(pace.retryAfterSeconds(age), 2)
  }
  t.equal(pace.waitMs(Infinity), 20_000)
  t.equal(pace.retryAfterSeconds(Infinity), 20)
})

t.test('Retry-After', async t => {
  await t.test('is the interval, in whole seconds', async t => {
    const pace = seen(...many(300_000))
    const age = 100_000
    t.equal(pace.retryAfterSeconds(age), Math.ceil(pace.waitMs(age) / 1000))
    t.ok(pace.retryAfterSeconds(age) > 5)
  })

  await t.test('is short where evaluations end, however old they are', async t => {
    t.equal(seen(...many(120_000)).retryAfterSeconds(119_000), 2)
  })

  await t.test('is not longer than the evaluation has run', async t => {
    const pace = seen(...many(300_000))
    t.ok(pace.waitMs(300) > 10_000)
    t.equal(pace.retryAfterSeconds(300), 2)
    t.equal(pace.retryAfterSeconds(5300), 5)
  })
})

t.test('on a virtual clock, Graph at 300 ms', async t => {
  const duration = logNormal(16_500, 0.5)
  const held = { duration, holdMs: { first: 60_000, later: 20_000 }, createPace: createPollPace }

  await t.test('around 16.5 s: at most 0.9 s late with at most 10 reads', async t => {
    const { meanDelayMs, meanReads } = simulate(held)
    t.ok(meanDelayMs <= 900, `${meanDelayMs} ms`)
    t.ok(meanReads <= 10, `${meanReads} reads`)
  })

  await t.test('and within 4 % of the best that knows the durations beforehand', async t => {
    const cost = (outcome: { meanDelayMs: number; meanReads: number }) =>
      outcome.meanDelayMs + 80 * outcome.meanReads
    const best = cost(optimum(duration, 0))
    const own = cost(simulate({ duration, createPace: createPollPace }))
    t.ok(own <= 1.04 * best, `${own} against ${best}`)
  })

  await t.test('callers who share reads are as soon, with hardly more reads', async t => {
    const { meanDelayMs, meanReads } = simulate({ ...held, holders: 3, sharedMs: 400 })
    t.ok(meanDelayMs <= 900, `${meanDelayMs} ms`)
    t.ok(meanReads <= 12, `${meanReads} reads`)
  })

  await t.test('60 to 300 s over long polls of 20 s: at most 3 s late', async t => {
    const long = uniform(60_000, 300_000)
    const { meanDelayMs } = simulate({
      duration: long,
      holdMs: { first: 0, later: 20_000 },
      createPace: createPollPace,
      evaluations: 2000,
    })
    t.ok(meanDelayMs <= 3000, `${meanDelayMs} ms`)
  })
})

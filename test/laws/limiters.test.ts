import fc from 'fast-check'
import t from 'tap'
import { memoryLimiter } from '../../src/limits/memory.ts'
import { redisLimiter } from '../../src/limits/redis.ts'
import { fallbackLimiter } from '../../src/limits/fallback.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'
import { lawRuns } from '../helpers/laws.ts'

const seed = { calls: 600, windowMs: 60_000 }

t.test('the limiter in memory', async t => {
  await t.test(
    'admits 600 calls in 60 s and refuses the 601st, wherever the window lies',
    async t => {
      const clock = leapingClock()
      const limiter = memoryLimiter(seed, clock)
      // 300 calls at 0 s, 300 at 59 s: a fixed window would admit 600 more at 60 s.
      for (let call = 0; call < 300; call += 1) t.equal((await limiter.take('a')).admitted, true)
      clock.advance(59_000)
      for (let call = 0; call < 300; call += 1) t.equal((await limiter.take('a')).admitted, true)
      t.same(await limiter.take('a'), { admitted: false, remaining: 0, resetMs: 1000 })
      clock.advance(999)
      t.equal((await limiter.take('a')).admitted, false)
      clock.advance(1)
      for (let call = 0; call < 300; call += 1) t.equal((await limiter.take('a')).admitted, true)
      t.same(await limiter.take('a'), { admitted: false, remaining: 0, resetMs: 59_000 })
    },
  )

  await t.test('counts each connection by itself', async t => {
    const limiter = memoryLimiter({ calls: 1, windowMs: 1000 }, leapingClock())
    t.same([(await limiter.take('a')).admitted, (await limiter.take('b')).admitted], [true, true])
    t.same([(await limiter.take('a')).admitted, (await limiter.take('b')).admitted], [false, false])
  })

  await t.test('tells what is left and when one more is admitted', async t => {
    const clock = leapingClock()
    const limiter = memoryLimiter({ calls: 3, windowMs: 10_000 }, clock)
    t.same(await limiter.take('a'), { admitted: true, remaining: 2, resetMs: 10_000 })
    clock.advance(4000)
    t.same(await limiter.take('a'), { admitted: true, remaining: 1, resetMs: 6000 })
    clock.advance(6000)
    t.same(await limiter.take('a'), { admitted: true, remaining: 1, resetMs: 4000 })
  })

  await t.test('is exact: in every window no call too many and none too few', async () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(300)),
      key: fc.constantFrom('a', 'b'),
    })
    const quota = fc.record({
      calls: fc.integer({ min: 1, max: 8 }),
      windowMs: fc.integer({ min: 1, max: 100 }),
    })
    await fc.assert(
      fc.asyncProperty(
        quota,
        fc.array(step, { maxLength: 120 }),
        async ({ calls, windowMs }, steps) => {
          const clock = leapingClock()
          const limiter = memoryLimiter({ calls, windowMs }, clock)
          const admitted: Record<string, number[]> = { a: [], b: [] }
          for (const { waitMs, key } of steps) {
            clock.advance(waitMs)
            const now = clock.now()
            const inWindow = (admitted[key] ?? []).filter(time => now - time < windowMs)
            const allowance = await limiter.take(key)
            if (allowance.admitted !== inWindow.length < calls) return false
            if (allowance.admitted) admitted[key]?.push(now)
            const counted = allowance.admitted ? [...inWindow, now] : inWindow
            if (allowance.remaining !== calls - counted.length) return false
            if (allowance.resetMs !== (counted[0] ?? 0) + windowMs - now) return false
          }
          return true
        },
      ),
      { numRuns: lawRuns() },
    )
  })

  await t.test('keeps the promise of its reset: a call made then is admitted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(30), { minLength: 5, maxLength: 60 }), async waits => {
        const clock = leapingClock()
        const limiter = memoryLimiter({ calls: 4, windowMs: 100 }, clock)
        for (const waitMs of waits) {
          clock.advance(waitMs)
          const { admitted, resetMs } = await limiter.take('a')
          if (admitted) continue
          clock.advance(resetMs)
          if (!(await limiter.take('a')).admitted) return false
        }
        return true
      }),
    )
  })

  await t.test('admits no more when the clock is set back', async t => {
    const clock = leapingClock()
    const limiter = memoryLimiter({ calls: 2, windowMs: 1000 }, clock)
    await limiter.take('a')
    clock.advance(-5000)
    t.equal((await limiter.take('a')).admitted, true)
    t.equal((await limiter.take('a')).admitted, false)
  })

  await t.test(
    'forgets a connection that was idle for two windows, and not one that was not',
    async t => {
      const clock = leapingClock()
      const limiter = memoryLimiter(seed, clock)
      for (let index = 0; index < 1000; index += 1) await limiter.take(`connection ${index}`)
      clock.advance(59_000)
      await limiter.take('connection 0')
      clock.advance(1000)
      t.equal((await limiter.take('connection 0')).remaining, 598)
      t.equal(limiter.size, 1000)
      clock.advance(60_000)
      await limiter.take('another')
      t.equal(limiter.size, 2)
      clock.advance(120_000)
      await limiter.take('another')
      t.equal(limiter.size, 1)
      await limiter.close()
      t.equal(limiter.size, 0)
    },
  )
})

t.test('the limiter on Redis', async t => {
  const server = await redisServer(t)

  await t.test('admits as many as the quota says, whichever replica is asked', async t => {
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => redisLimiter(await server.connect(), seed)),
    )
    const asked = Array.from({ length: 300 }, () =>
      replicas.map(replica => replica.take('a')),
    ).flat()
    const allowances = await Promise.all(asked)
    t.equal(allowances.filter(allowance => allowance.admitted).length, 600)
    const refused = allowances.find(allowance => !allowance.admitted)
    t.equal(refused?.remaining, 0)
    t.ok((refused?.resetMs ?? 0) > 50_000 && (refused?.resetMs ?? 0) <= 60_000)
    t.same(
      allowances
        .flatMap(allowance => (allowance.admitted ? [allowance.remaining] : []))
        .toSorted((a, b) => b - a),
      Array.from({ length: 600 }, (_, index) => 599 - index),
    )
    t.equal((await replicas[0]?.take('b'))?.admitted, true)
  })

  await t.test('is exact in every window, as far as a client can see', async t => {
    const quota = { calls: 10, windowMs: 60 }
    const replicas = await Promise.all(
      [1, 2, 3].map(async () => redisLimiter(await server.connect(), quota)),
    )
    const admitted: { before: number; after: number }[] = []
    const began = performance.now()
    await Promise.all(
      replicas.map(async limiter => {
        while (performance.now() - began < 600) {
          const before = performance.now()
          if ((await limiter.take('exact')).admitted)
            admitted.push({ before, after: performance.now() })
        }
      }),
    )
    // Redis decided between "before" and "after": eleven calls that lie closer than the window
    // would be one too many.
    const ordered = admitted.toSorted((a, b) => a.before - b.before)
    for (const [index, first] of ordered.entries()) {
      const eleventh = ordered[index + quota.calls]
      if (eleventh) t.ok(eleventh.after - first.before >= quota.windowMs)
    }
    t.ok(admitted.length >= quota.calls * 9, `${admitted.length} admitted in ten windows`)
  })

  await t.test('takes one round trip a call, and leaves nothing behind', async t => {
    const redis = await server.connect()
    const limiter = redisLimiter(redis, { calls: 5, windowMs: 30 })
    await limiter.take('tidy')
    const commands = async () =>
      Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
    const before = await commands()
    await limiter.take('tidy')
    // The script itself counts, and what it calls: TIME, LINDEX, LLEN, RPUSH, PEXPIRE; and INFO.
    t.ok((await commands()) - before <= 7)
    t.ok((await redis.pttl('copilot:calls:tidy')) <= 30)
  })
})

t.test('the shared limiter', async t => {
  await t.test('limits by itself while the store is away, says so once, and returns', async t => {
    const clock = leapingClock()
    const local = memoryLimiter({ calls: 3, windowMs: 60_000 }, clock)
    const changes: boolean[] = []
    let asked = 0
    let away = false
    const limiter = fallbackLimiter({
      shared: {
        take: async () => {
          asked += 1
          if (away) throw new Error('gone')
          return { admitted: true, remaining: 9, resetMs: 1000 }
        },
        close: async () => undefined,
      },
      local,
      clock,
      onChange: available => changes.push(available),
    })

    t.equal((await limiter.take('a')).remaining, 9)
    away = true
    t.same(
      await limiter.take('a'),
      { admitted: true, remaining: 1, resetMs: 60_000 },
      'what it admitted before counts',
    )
    t.equal((await limiter.take('a')).admitted, true)
    t.equal((await limiter.take('a')).admitted, false, 'never unlimited')
    t.equal(asked, 2, 'the store is left alone for a second')
    clock.advance(1000)
    await limiter.take('a')
    t.equal(asked, 3)
    away = false
    clock.advance(1000)
    t.equal((await limiter.take('a')).remaining, 9)
    t.same(changes, [false, true])
    await limiter.close()
    t.equal(local.size, 0)
  })

  await t.test('does not count what the store refused', async t => {
    const clock = leapingClock()
    const local = memoryLimiter({ calls: 3, windowMs: 60_000 }, clock)
    const refusing = {
      take: async () => ({ admitted: false, remaining: 0, resetMs: 5 }),
      close: async () => undefined,
    }
    const limiter = fallbackLimiter({
      shared: refusing,
      local,
      clock,
      onChange: () => t.fail('the store is there'),
    })
    t.equal((await limiter.take('a')).admitted, false)
    t.equal(local.size, 0)
  })
})

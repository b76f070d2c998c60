import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { memoryLimiter } from '../../src/limits/memory.ts'
import { redisLimiter } from '../../src/limits/redis.ts'
import { fallbackLimiter } from '../../src/limits/fallback.ts'
import { storeState } from '../../src/limits/store-state.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'
import { redisServer } from '../helpers/redis-server.ts'
import type { Limiter } from '../../src/limits/limiter.ts'
import type { Redis } from 'ioredis'
import { lawRuns } from '../helpers/laws.ts'

const seed = { calls: 600, windowMs: 60_000 }

/** A limiter that answers as told. */
const answering = (take: Limiter['take']): Limiter => ({
  take,
  peek: take,
  refund: async () => undefined,
  close: async () => undefined,
})

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
    t.match(await limiter.take('a'), { admitted: true, remaining: 2, resetMs: 10_000 })
    clock.advance(4000)
    t.match(await limiter.take('a'), { admitted: true, remaining: 1, resetMs: 6000 })
    clock.advance(6000)
    t.match(await limiter.take('a'), { admitted: true, remaining: 1, resetMs: 4000 })
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

  await t.test('looks without counting', async t => {
    const clock = leapingClock()
    const limiter = memoryLimiter({ calls: 2, windowMs: 1000 }, clock)
    t.same(await limiter.peek('a'), { admitted: true, remaining: 2, resetMs: 0 })
    t.equal(limiter.size, 0, 'nobody is remembered for a look')
    await limiter.take('a')
    clock.advance(400)
    for (let look = 0; look < 5; look += 1) {
      t.same(await limiter.peek('a'), { admitted: true, remaining: 1, resetMs: 600 })
    }
    await limiter.take('a')
    t.same(await limiter.peek('a'), { admitted: false, remaining: 0, resetMs: 600 })
  })

  await t.test('law: a call given back is as if it had never been made', async () => {
    const step = fc.record({
      waitMs: fc.nat(40),
      // Which of the calls admitted so far is given back; none, mostly.
      refund: fc.option(fc.nat(10), { freq: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 100 }), async steps => {
        const quota = { calls: 4, windowMs: 100 }
        const clock = leapingClock()
        const limiter = memoryLimiter(quota, clock)
        let admitted: { at: number; allowance: Awaited<ReturnType<Limiter['take']>> }[] = []
        for (const { waitMs, refund } of steps) {
          clock.advance(waitMs)
          const now = clock.monotonic()
          const given = refund === null ? undefined : admitted[refund]
          if (given) {
            await limiter.refund('a', given.allowance)
            admitted = admitted.filter(call => call !== given)
          }
          const live = admitted.filter(({ at }) => now - at < quota.windowMs).length
          if ((await limiter.peek('a')).remaining !== quota.calls - live) return false
          const allowance = await limiter.take('a')
          if (allowance.admitted !== live < quota.calls) return false
          if (allowance.admitted) admitted.push({ at: now, allowance })
        }
        return true
      }),
      { numRuns: lawRuns() },
    )
  })

  await t.test('law: its memory is bounded, and nobody gets more than the allowance', async () => {
    const step = fc.record({ waitMs: fc.nat(30), key: fc.nat(30).map(String), note: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 300 }), async steps => {
        const quota = { calls: 5, windowMs: 100 }
        const clock = leapingClock()
        const limiter = memoryLimiter(quota, clock, 2000)
        const admitted = new Map<string, number[]>()
        for (const { waitMs, key, note } of steps) {
          clock.advance(waitMs)
          const now = clock.monotonic()
          const live = (admitted.get(key) ?? []).filter(at => now - at < quota.windowMs)
          const allowance = note && live.length < quota.calls ? limiter.note(key) : undefined
          const { admitted: isIn } = allowance ? { admitted: true } : await limiter.take(key)
          if (isIn && live.length >= quota.calls) return false
          if (isIn) admitted.set(key, [...live, now])
          if (limiter.bytes > 2000) return false
        }
        clock.advance(2 * quota.windowMs)
        return (await limiter.take('another')).admitted && limiter.size === 1
      }),
      { numRuns: lawRuns() },
    )
  })

  await t.test('takes 32 MiB at most, whoever calls, and goes on to admit', async t => {
    const clock = leapingClock()
    const limiter = memoryLimiter(seed, clock)
    let admitted = 0
    for (let index = 0; index < 300_000; index += 1) {
      if ((await limiter.take(`${index}`.padStart(64, 'k'))).admitted) admitted += 1
    }
    t.ok(limiter.bytes <= 32 * 1024 * 1024)
    t.ok(limiter.size < 80_000)
    t.ok(admitted > limiter.size, 'who has no memory of its own is served too')
    // The place of its first call is free again, and nobody else's.
    clock.advance(59_999)
    t.equal((await limiter.take('299999'.padStart(64, 'k'))).admitted, false)
    clock.advance(1)
    t.equal((await limiter.take('0'.padStart(64, 'k'))).admitted, true)
  })

  await t.test('gives a refund to nobody who was refused', async t => {
    const limiter = memoryLimiter({ calls: 1, windowMs: 1000 }, leapingClock())
    await limiter.take('a')
    await limiter.refund('a', await limiter.take('a'))
    t.equal((await limiter.take('a')).admitted, false)
  })
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
    // The script itself counts, and what it calls: TIME, LRANGE, LINDEX, LLEN, RPUSH, PEXPIRE, at
    // times LSET and PEXPIRE for the head; and INFO.
    t.ok((await commands()) - before <= 10)
    t.ok((await redis.pttl('copilot:calls:v2:tidy')) <= 30)
  })

  await t.test('looks without counting, and gives back the very call', async t => {
    const redis = await server.connect()
    const limiter = redisLimiter(redis, { calls: 2, windowMs: 200 }, 'other')
    t.same(await limiter.peek('b'), { admitted: true, remaining: 2, resetMs: 0 })
    const first = await limiter.take('b')
    t.equal((await limiter.peek('b')).remaining, 1)
    await wait(120)
    await limiter.take('b')
    t.match(await limiter.take('b'), { admitted: false, remaining: 0 })
    // The younger call stays: once the older one would have left, there is one place, not two.
    await limiter.refund('b', first)
    t.equal((await limiter.peek('b')).remaining, 1)
    await wait(100)
    t.equal((await limiter.peek('b')).remaining, 1)
    const last = await limiter.take('b')
    await limiter.refund('b', last)
    await limiter.refund('b', { admitted: false, remaining: 0, resetMs: 0 })
    await wait(220)
    t.equal(await redis.exists('copilot:other:v2:b'), 0, 'nothing is left behind')
    const only = await limiter.take('c')
    await limiter.refund('c', only)
    t.equal(await redis.exists('copilot:other:v2:c'), 0)
  })

  await t.test('counts by its prefix: another allowance of the same connection', async t => {
    const redis = await server.connect()
    const [one, two] = ['one', 'two'].map(prefix =>
      redisLimiter(redis, { calls: 1, windowMs: 60_000 }, prefix),
    ) as [Limiter, Limiter]
    t.same(
      [await one.take('d'), await two.take('d'), await one.take('d')].map(a => a.admitted),
      [true, true, false],
    )
  })

  await t.test('holds the longest window of those that replicas have', async t => {
    const redis = await server.connect()
    const long = redisLimiter(redis, { calls: 20, windowMs: 1500 })
    const short = redisLimiter(redis, { calls: 20, windowMs: 100 })
    for (const order of [
      [long, short],
      [short, long],
    ]) {
      const key = order[0] === long ? 'long first' : 'short first'
      let admitted = 0
      // A second, ten of the short windows.
      for (let call = 0; call < 50; call += 1) {
        for (const limiter of order) if ((await limiter.take(key)).admitted) admitted += 1
        await wait(20)
      }
      t.equal(admitted, 20, key)
      t.ok((await redis.pttl(`copilot:calls:v2:${key}`)) > 100)
    }
  })

  await t.test('holds the stricter allowance for whoever has it', async t => {
    const redis = await server.connect()
    const strict = redisLimiter(redis, { calls: 5, windowMs: 60_000 })
    const lax = redisLimiter(redis, { calls: 10, windowMs: 60_000 })
    for (let call = 0; call < 7; call += 1) t.equal((await lax.take('e')).admitted, true)
    const refused = await strict.take('e')
    t.match(refused, { admitted: false, remaining: 0 })
    t.equal((await lax.peek('e')).remaining, 3)
  })

  await t.test('returns to the shorter window once nobody has the longer one', async t => {
    const redis = await server.connect()
    const long = redisLimiter(redis, { calls: 3, windowMs: 400 })
    const short = redisLimiter(redis, { calls: 3, windowMs: 40 })
    await long.take('f')
    const began = performance.now()
    let admitted = 0
    while (performance.now() - began < 1500) {
      if ((await short.take('f')).admitted) admitted += 1
      await wait(5)
    }
    // At three in 400 ms it would be twelve.
    t.ok(admitted > 20, `${admitted} admitted`)
  })

  /** The clock of Redis is set: what was counted lies so much further back, or in the future. */
  async function setClock(redis: Redis, key: string, byMs: number): Promise<void> {
    const name = `copilot:calls:v2:${key}`
    const [head = '', ...times] = await redis.lrange(name, 0, -1)
    const [longest, usedAt, ahead] = head.split(' ').map(Number) as [number, number, number]
    const moved = times.map(time => String(Number(time) - byMs * 1000))
    await redis.del(name)
    await redis.rpush(name, `${longest} ${usedAt - byMs * 1000} ${ahead}`, ...moved)
    await redis.pexpire(name, 600_000)
  }

  await t.test(
    'admits nobody twice when the clock of Redis is set back, and frees all',
    async t => {
      const redis = await server.connect()
      const limiter = redisLimiter(redis, { calls: 3, windowMs: 300 })
      await limiter.take('g')
      await limiter.take('g')
      await setClock(redis, 'g', -600_000)
      t.equal((await limiter.take('g')).admitted, true)
      const refused = await limiter.take('g')
      t.equal(refused.admitted, false)
      t.ok(refused.resetMs <= 300, 'nobody waits for ten minutes')
      await wait(refused.resetMs)
      t.equal((await limiter.take('g')).admitted, true, 'the time it said was true')
      // Back where it was: what was counted meanwhile still counts.
      await setClock(redis, 'g', 600_000 - 1000)
      t.equal((await limiter.peek('g')).resetMs <= 300, true)
    },
  )
})

t.test('the shared limiter', async t => {
  await t.test('law: one replica admits no call twice, wherever Redis’s clock is set', async () => {
    const step = fc.record({ waitMs: fc.nat(200), forgets: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const quota = { calls: 4, windowMs: 1000 }
        const clock = leapingClock()
        // A clock set forth makes calls leave early, all at once at worst.
        let store = memoryLimiter(quota, clock)
        const limiter = fallbackLimiter({
          shared: {
            take: key => store.take(key),
            peek: key => store.peek(key),
            refund: (key, allowance) => store.refund(key, allowance),
            close: () => store.close(),
          },
          local: memoryLimiter(quota, clock),
          windowMs: quota.windowMs,
          store: storeState({ clock, onChange: () => undefined }),
        })
        let admitted: number[] = []
        for (const { waitMs, forgets } of steps) {
          clock.advance(waitMs)
          if (forgets) store = memoryLimiter(quota, clock)
          const now = clock.monotonic()
          const { admitted: isIn, resetMs } = await limiter.take('a')
          // The two clocks may part a little: 165 ms for a window of a second.
          const live = admitted.filter(at => now - at < quota.windowMs - 165)
          if (isIn && live.length >= quota.calls) return false
          if (!isIn && !(resetMs > 0 && resetMs <= 1000)) return false
          if (isIn) admitted = [...live, now]
        }
        return true
      }),
      { numRuns: lawRuns() },
    )
  })

  await t.test('gives back where it counted', async t => {
    const clock = leapingClock()
    const quota = { calls: 3, windowMs: 60_000 }
    const store = memoryLimiter(quota, clock)
    const local = memoryLimiter(quota, clock)
    let away = false
    const ask = <T>(work: () => Promise<T>): Promise<T> =>
      away ? Promise.reject(new Error('gone')) : work()
    const state = storeState({ clock, onChange: () => undefined })
    const limiter = fallbackLimiter({
      shared: {
        take: key => ask(() => store.take(key)),
        peek: key => ask(() => store.peek(key)),
        refund: (key, allowance) => ask(() => store.refund(key, allowance)),
        close: () => store.close(),
      },
      local,
      windowMs: quota.windowMs,
      store: state,
    })
    const both = await limiter.take('a')
    await limiter.take('a')
    away = true
    const here = await limiter.take('a')
    t.equal((await limiter.peek('a')).remaining, 0)
    away = false
    state.answered(true, 5)
    t.equal((await limiter.peek('a')).remaining, 1, 'the store is asked at once')
    await limiter.refund('a', here)
    t.same([(await store.peek('a')).remaining, (await local.peek('a')).remaining], [1, 1])
    await limiter.refund('a', both)
    t.same([(await store.peek('a')).remaining, (await local.peek('a')).remaining], [2, 2])
    away = true
    await limiter.refund('a', { admitted: false, remaining: 0, resetMs: 1 })
    t.equal((await local.peek('a')).remaining, 2)
  })

  await t.test(
    'hears from others that the store is away, and that it is back and fast',
    async t => {
      const changes: boolean[] = []
      let asked = 0
      const store = storeState({
        clock: leapingClock(),
        onChange: available => changes.push(available),
      })
      const limiter = fallbackLimiter({
        shared: answering(async () => {
          asked += 1
          return { admitted: true, remaining: 9, resetMs: 1000 }
        }),
        local: memoryLimiter(seed, leapingClock()),
        windowMs: seed.windowMs,
        store,
      })
      store.answered(false, 0)
      await limiter.take('a')
      store.answered(true, 300)
      await limiter.take('a')
      t.equal(asked, 0)
      store.answered(true, 20)
      await limiter.take('a')
      t.equal(asked, 1)
      t.same(changes, [false, true])
    },
  )

  await t.test('limits by itself while the store is away, says so once, and returns', async t => {
    const clock = leapingClock()
    const local = memoryLimiter({ calls: 3, windowMs: 60_000 }, clock)
    const changes: boolean[] = []
    let asked = 0
    let away = false
    const limiter = fallbackLimiter({
      shared: answering(async () => {
        asked += 1
        if (away) throw new Error('gone')
        return { admitted: true, remaining: 9, resetMs: 1000 }
      }),
      local,
      windowMs: 60_000,
      store: storeState({ clock, onChange: available => changes.push(available) }),
    })

    t.equal((await limiter.take('a')).remaining, 9)
    away = true
    t.match(
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
    t.equal((await limiter.take('a')).admitted, false, 'nor twice the quota when it is back')
    clock.advance(60_000)
    t.equal((await limiter.take('a')).remaining, 9)
    t.same(changes, [false, true])
    await limiter.close()
    t.equal(local.size, 0)
  })

  await t.test('does not count what the store refused', async t => {
    const clock = leapingClock()
    const local = memoryLimiter({ calls: 3, windowMs: 60_000 }, clock)
    const limiter = fallbackLimiter({
      shared: answering(async () => ({ admitted: false, remaining: 0, resetMs: 5 })),
      local,
      windowMs: 60_000,
      store: storeState({ clock, onChange: () => t.fail('the store is there') }),
    })
    t.equal((await limiter.take('a')).admitted, false)
    t.equal(local.size, 0)
  })
})

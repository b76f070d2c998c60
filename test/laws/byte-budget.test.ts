import fc from 'fast-check'
import t from 'tap'
import { createByteBudget } from '../../src/lib/byte-budget.ts'
import { lawRuns } from '../helpers/laws.ts'

const step = fc.record({
  meter: fc.nat(5),
  act: fc.constantFrom('hold', 'hold', 'release', 'close'),
  bytes: fc.nat(60),
})

t.test('bytes that are held never pass a bound, and come back whole', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const [total, perKey] = [100, 50]
      const budget = createByteBudget({ total, perKey })
      const keyOf = (meter: number) => String(meter % 3)
      const meters = Array.from({ length: 6 }, (_one, at) => budget.meter(keyOf(at)))
      const held = meters.map(() => 0)
      const closed = new Set<number>()
      const of = (key: string) => held.reduce((sum, n, at) => sum + (keyOf(at) === key ? n : 0), 0)
      const all = () => held.reduce((sum, n) => sum + n, 0)

      for (const { meter, act, bytes } of steps) {
        const one = meters[meter]
        const has = held[meter] ?? 0
        if (act === 'hold') {
          const fits = all() + bytes <= total && of(keyOf(meter)) + bytes <= perKey
          if (one?.hold(bytes) !== (closed.has(meter) || fits)) return false
          if (fits && !closed.has(meter)) held[meter] = has + bytes
        } else if (act === 'release') {
          one?.release(bytes)
          held[meter] = has - Math.min(has, bytes)
        } else {
          one?.close()
          closed.add(meter)
          held[meter] = 0
        }
        if (budget.held !== all() || budget.held > total) return false
      }
      for (const one of meters) one.close()
      return budget.held === 0
    }),
    { numRuns: lawRuns(1) },
  )
})

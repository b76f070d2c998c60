import t from 'tap'
import { createTurns } from '../../src/lib/turns.ts'

t.test('createTurns()', async t => {
  await t.test('runs so many at once, the others first come first served', async t => {
    const turn = createTurns(2, 10, () => new Error('too many'))
    const began: number[] = []
    const ends: (() => void)[] = []
    const work = [0, 1, 2, 3].map(index =>
      turn(() => {
        began.push(index)
        return new Promise<void>(resolve => ends.push(resolve))
      }),
    )
    t.same(began, [0, 1])
    ends[1]?.()
    await work[1]
    t.same(began, [0, 1, 2])
    for (const end of [0, 2]) ends[end]?.()
    await work[2]
    ends[3]?.()
    await Promise.all(work)
    t.same(began, [0, 1, 2, 3])
  })

  await t.test('goes on after a failure, and refuses when too many wait', async t => {
    const turn = createTurns(1, 1, () => new Error('too many'))
    const failing = turn(() => Promise.reject(new Error('failed')))
    const waiting = turn(async () => 'done')
    await t.rejects(
      turn(async () => 'never'),
      { message: 'too many' },
    )
    await t.rejects(failing, { message: 'failed' })
    t.equal(await waiting, 'done')
    t.equal(await turn(async () => 'again'), 'again')
  })
})

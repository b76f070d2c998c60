import t from 'tap'
import fc from 'fast-check'
import { readPreference } from '../../src/routes/prefer.ts'

t.test('readPreference()', async t => {
  const cases: [string | string[] | undefined, number, string | undefined][] = [
    [undefined, 60, undefined],
    ['', 60, undefined],
    ['wait=10', 10, 'wait=10'],
    ['wait=0', 0, 'wait=0'],
    ['WAIT = 10', 10, 'wait=10'],
    ['wait="10"', 10, 'wait=10'],
    ['wait=10; reason=impatient', 10, 'wait=10'],
    ['wait=1000', 100, 'wait=100'],
    ['wait=10, wait=20', 10, 'wait=10'],
    ['wait=1.5', 60, undefined],
    ['wait', 60, undefined],
    ['wait=10 seconds', 60, undefined],
    ['respond-async', 0, 'respond-async'],
    ['respond-async=""', 0, 'respond-async'],
    ['respond-async=yes', 60, undefined],
    ['return=minimal, respond-async', 0, 'respond-async'],
    ['respond-async, wait=10', 10, 'respond-async, wait=10'],
    [['respond-async', 'wait=10'], 10, 'respond-async, wait=10'],
    ['note="a, wait=10", wait=5', 5, 'wait=5'],
    ['=, ;, wait=5', 5, 'wait=5'],
    [`wait=5, note="${'\\"'.repeat(8000)}`, 60, undefined],
  ]
  for (const [header, waitSeconds, applied] of cases) {
    await t.test(`reads ${JSON.stringify(header) ?? 'no header'}`, async t => {
      t.same(readPreference(header, 60), { waitSeconds, ...(applied !== undefined && { applied }) })
    })
  }

  await t.test('never waits more than 100 s nor throws, whatever the header says', async () => {
    fc.assert(
      fc.property(fc.string(), header => {
        const { waitSeconds } = readPreference(header, 60)
        return Number.isInteger(waitSeconds) && waitSeconds >= 0 && waitSeconds <= 100
      }),
    )
  })
})

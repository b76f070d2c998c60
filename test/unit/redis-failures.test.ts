import t from 'tap'
import { redisFailures } from '../../src/redis-failures.ts'
import { retryPauses, tlsOptions } from '../../src/redis-options.ts'

/** Failures, what was told of them, and a clock that is set. */
function failures() {
  const told: string[] = []
  const clock = { ms: 0 }
  const { report, hide } = redisFailures(
    reason => told.push(reason),
    () => clock.ms,
  )
  return { report, hide, told, clock }
}

t.test('redisFailures()', async t => {
  await t.test('tells each reason once, until it was not heard of for a minute', async t => {
    const { report, told, clock } = failures()
    for (let second = 0; second < 600; second += 1) {
      clock.ms = second * 1000
      report(new Error('READONLY x'))
      report(new Error('WRONGPASS y'))
    }
    t.same(told, ['READONLY x', 'WRONGPASS y'])
    clock.ms += 60_000
    report(new Error('READONLY x'))
    t.equal(told.length, 3)
  })

  await t.test('names the innermost cause, with its code', async t => {
    const { report, told } = failures()
    report(Object.assign(new Error('All failed'), { lastNodeError: new Error('NOAUTH needed') }))
    report(Object.assign(new Error('self-signed'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }))
    report(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))
    report('odd')
    t.same(told, [
      'NOAUTH needed',
      'DEPTH_ZERO_SELF_SIGNED_CERT: self-signed',
      'ECONNREFUSED',
      'odd',
    ])
  })

  await t.test('takes out what differs each time, and secrets', async t => {
    const { report, hide, told } = failures()
    hide(undefined)
    hide('hunter2')
    const sha = 'a'.repeat(40)
    for (const attempt of [1, 2, 3]) {
      report(new Error(`No sentinel. Retrying from scratch after ${attempt}00ms. Last error: x`))
      report(new Error(`OOM used. script: ${sha}, on @user_script:${attempt}.`))
    }
    report(new Error("ERR unknown command 'HELLO', with args beginning with: 'AUTH' 'hunter2'"))
    t.same(told, [
      'No sentinel. Last error: x',
      'OOM used.',
      "ERR unknown command 'HELLO', with args beginning with: 'AUTH' '[secret]'",
    ])
  })

  await t.test('keeps a bounded number of reasons', async t => {
    const { report, told } = failures()
    for (let port = 0; port < 51; port += 1) report(new Error(`refused by ${port}`))
    report(new Error('refused by 50'))
    t.equal(told.length, 51)
    report(new Error('refused by 0'))
    t.equal(told.length, 52, 'it was forgotten')
  })
})

t.test('retryPauses() grow to a second, and begin anew after a connection that lasted', async t => {
  const clock = { ms: 0 }
  const pauses = retryPauses(() => clock.ms)
  t.same(
    Array.from({ length: 12 }, () => pauses.next()),
    [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1000, 1000],
  )
  pauses.ready()
  t.equal(pauses.next(), 1000, 'a server that refuses at once is not asked more often')
  pauses.ready()
  clock.ms += 5001
  t.equal(pauses.next(), 100)
})

t.test('tlsOptions() asks for a name, never for an address in numbers', async t => {
  t.equal(tlsOptions('redis.example', []).servername, 'redis.example')
  t.equal(tlsOptions('10.0.0.1', ['redis.example']).servername, 'redis.example')
  t.equal(tlsOptions('10.0.0.1', ['10.0.0.2']).servername, undefined)
  t.equal(tlsOptions('10.0.0.1', []).servername, undefined)
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { redisServer } from '../helpers/redis-server.ts'
import { alice, serviceProcess, submitTo } from '../helpers/service-process.ts'

/** A program that runs a service of its own making; what it does is told on standard output. */
function program(t: Test, text: string) {
  const { href } = new URL('../../src/lib/run.ts', import.meta.url)
  const source = `import { run } from '${href}'
    const say = what => process.stdout.write(what + '\\n')
    const running = {
      stop: () => say('stop'), cut: () => say('cut'), fatal: error => say('fatal ' + error.message),
      close: async () => { await new Promise(resolve => setTimeout(resolve, 300)); say('close') },
    }
    const alive = setInterval(() => undefined, 1000)
    ${text}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source])
  t.teardown(() => child.kill('SIGKILL'))
  const chunks: string[] = []
  child.stdout.on('data', chunk => chunks.push(String(chunk)))
  child.stderr.on('data', chunk => chunks.push(String(chunk)))
  const ended = once(child, 'close').then(([code]) => ({ code, said: chunks.join('') }))
  return { child, ended, said: () => chunks.join('') }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await wait(5)
}

t.test('run()', async t => {
  await t.test('ends with 0 after SIGTERM; a second one changes nothing', async t => {
    const { child, ended, said } = program(
      t,
      `await run(async () => { say('up'); return running }, 100)`,
    )
    await until(() => said().includes('up'))
    child.kill('SIGTERM')
    await until(() => said().includes('stop'))
    child.kill('SIGTERM')
    child.kill('SIGINT')
    t.same(await ended, { code: 0, said: 'up\nstop\nclose\n' })
  })

  await t.test(
    'writes an unforeseen error down, answers whoever waits, and ends with 1',
    async t => {
      for (const how of ['setTimeout(() => { throw error })', 'Promise.reject(error)']) {
        const { ended } = program(
          t,
          `await run(async () => running, 0); const error = new Error('unforeseen'); ${how}`,
        )
        const { code, said } = await ended
        t.equal(code, 1)
        t.match(said, /Error: unforeseen/)
        t.match(said, /fatal unforeseen\nstop\nclose\n/)
      }
    },
  )

  await t.test('says in one line why it cannot start, and ends with 1', async t => {
    const { ended } = program(
      t,
      `await run(async () => { throw new Error('Cannot start: why') }, 0)`,
    )
    t.same(await ended, { code: 1, said: 'Cannot start: why\n' })
  })
})

t.test('SIGTERM while Graph takes 20 s to create the evaluation: 503 with the ids', async t => {
  const arrived = Promise.withResolvers<void>()
  const { url, running, as } = await serviceProcess(t, {
    beforeGraph: async (method, path) => {
      if (method !== 'POST' || !path.endsWith('/evaluations')) return
      arrived.resolve()
      await wait(20_000, undefined, { ref: false })
    },
  })
  const submitted = submitTo(url, await as(alice), 'Hello')
  await arrived.promise
  const began = performance.now()
  running.child.kill('SIGTERM')
  const reply = await submitted
  t.match(reply, {
    status: 503,
    body: { error: { code: 'ShuttingDown' }, sessionId: /./, promptId: /./ },
  })
  const { code } = await running.exit
  t.equal(code, 0, 'nobody was cut off')
  t.ok(performance.now() - began < 13_000)
})

t.test(
  'Redis restarts empty while Graph creates the evaluation: the key leads to the same',
  async t => {
    const redis = await redisServer(t)
    const arrived = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    let created = 0
    const { url, as, another } = await serviceProcess(t, {
      env: { REDIS_URL: redis.url },
      beforeGraph: async (method, path) => {
        if (method !== 'POST' || !path.endsWith('/evaluations')) return
        created += 1
        arrived.resolve()
        await gate.promise
      },
    })
    const headers = {
      ...(await as(alice)),
      prefer: 'respond-async',
      'idempotency-key': 'k',
    }
    const other = await another({ REDIS_URL: redis.url })
    const first = submitTo(url, headers, 'Hello')
    await arrived.promise
    await redis.kill()
    await redis.start()
    // The claim is renewed within 2 s of the store's return.
    await wait(4000)
    const second = submitTo(other.url, headers, 'Hello')
    gate.resolve()
    const [one, two] = await Promise.all([first, second])
    t.equal(one.status, 202)
    t.equal(two.body.evaluationId, one.body.evaluationId)
    t.equal(created, 1)
  },
)

t.test('a replica that stands still for 40 s sends nothing afterwards', async t => {
  const redis = await redisServer(t)
  const arrived = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  let created = 0
  let first = true
  const { url, running, as, another } = await serviceProcess(t, {
    env: { REDIS_URL: redis.url },
    beforeGraph: async (method, path) => {
      if (method !== 'POST') return
      if (path.endsWith('/evaluations')) created += 1
      if (path.endsWith('/prompts') && first) {
        first = false
        arrived.resolve()
        await gate.promise
      }
    },
  })
  const headers = {
    ...(await as(alice)),
    prefer: 'respond-async',
    'idempotency-key': 'k',
  }
  const other = await another({ REDIS_URL: redis.url })
  const still = submitTo(url, headers, 'Hello')
  await arrived.promise
  running.child.kill('SIGSTOP')
  gate.resolve()
  await wait(31_000)
  const taken = await submitTo(other.url, headers, 'Hello')
  t.equal(taken.status, 202)
  running.child.kill('SIGCONT')
  const late = await still
  // A call of it to Graph may be too late by now: then it says so, and a repetition tells.
  const told = late.status === 202 ? late : await submitTo(other.url, headers, 'Hello')
  t.equal(told.body.evaluationId, taken.body.evaluationId)
  t.equal(created, 1)
})

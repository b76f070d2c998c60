import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text as textOf } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { createLog } from '../../src/telemetry/log.ts'
import { tokenError } from '../../src/sandbox/entra/token-error.ts'
import { asPrincipal, entraWorld, principal } from '../helpers/entra-world.ts'
import { evaluationPath, world } from '../helpers/world.ts'

t.test('the log shows no token, prompt, answer or header, through success and failure', async t => {
  const prompt = 'canary-prompt-1f9c'
  const { start, get, post, clock, log } = await world(t)

  for (const failure of ['', '401', '403', '429', '500', 'html', 'shape', 'claims']) {
    const content = `${prompt} [sim:getEvaluation=${failure}]`
    const reply = await start(content, {
      SkillName: 'Canary',
      SkillInputs: { key: 'canary-input-77' },
    })
    clock.advance(20_000)
    await get(evaluationPath(reply), {
      authorization: 'Bearer canary-token',
      'x-other': 'canary-header',
    })
    await start(`${prompt} [sim:createPrompt=${failure}]`)
    await post('/process-prompt', { [`${prompt}-key`]: prompt, PromptContent: prompt })
    await post('/process-prompt', `{"${prompt}`)
    await get(`/${prompt}?canary-query=1`)
  }

  const text = log.join('')
  t.ok(log.length > 40)
  t.ok(text.includes('"route":"/process-prompt"'))
  t.notOk(/canary/i.test(text), text.split('\n').find(line => /canary/i.test(line)) ?? '')
  t.notOk(text.includes('SIMULATED'))
  t.notOk(text.includes('token-of-alice'))
})

t.test('nor a user’s token, address or secret, by whichever road a call fails', async t => {
  const canary = 'canary-4d1e'
  const alice = 'a11ce000-0000-4000-8000-000000000001'
  const w = await entraWorld(t, { entraTimeoutMs: 500 })
  const named = {
    claims: { preferred_username: `${canary}@contoso.example`, name: canary, jti: canary },
  }
  const answers: unknown[] = []
  const submit = async (headers: Record<string, string>, content = canary) => {
    const reply = await w.post(
      '/process-prompt',
      { PromptContent: content },
      { ...headers, prefer: 'respond-async' },
    )
    answers.push(reply.status >= 400 ? reply.body : undefined)
  }

  const failures = [
    tokenError('invalid_grant', 500133, canary),
    tokenError('invalid_client', 7000215, canary),
    tokenError('invalid_grant', 65001, canary),
    tokenError('temporarily_unavailable', 90033, canary),
    tokenError('interaction_required', 50076, canary, { claims: '{}' }),
  ]
  for (const failure of [undefined, ...failures]) {
    w.entra.refuse(alice, failure)
    w.entra.refuse(principal.clientId, failure)
    await submit(await w.asUser(alice, named))
    await submit(await w.asUser(alice, { claims: { ...named.claims, scp: canary } }))
    await submit(await w.asUser(alice, { claims: { ...named.claims, aud: canary } }))
    await submit(
      await w.asUser(alice, { claims: { ...named.claims, iss: `https://${canary}.example/` } }),
    )
    await submit(asPrincipal())
    await submit(asPrincipal(canary))
    await submit({ ...asPrincipal(`${canary}é`) })
    await submit({ 'x-entra-client-id': canary })
    await submit({ authorization: `Basic ${canary}` })
    await submit(await w.asUser(alice, named), `${canary} [sim:createPrompt=401]`)
  }
  w.entra.refuse(alice)
  w.outage = 'stalls'
  await submit(await w.asUser(alice, named))

  const text = w.log.join('')
  t.ok(w.log.length > 60)
  t.notOk(text.includes(canary), text.split('\n').find(line => line.includes(canary)) ?? '')
  t.notOk(JSON.stringify(answers).includes(canary))
  t.notMatch(text, /contoso|eyJ|a-secret-of|Bearer [A-Za-z0-9]/)
  t.notMatch(JSON.stringify(answers), /contoso|eyJ|a-secret-of/)
})

t.test('the log names the connection by its hash', async t => {
  const w = await entraWorld(t)
  await w.post('/process-prompt', {}, asPrincipal())
  const line = w.log.map(text => JSON.parse(text)).find(({ msg }) => msg === 'request')
  t.match(line, {
    connection: /^[\w-]{43}$/,
    route: '/process-prompt',
    status: 400,
    code: 'InvalidRequest',
  })
})

t.test(
  'an error is logged with its code, its stack and its causes, and nothing else that it carries',
  async t => {
    const lines: string[] = []
    const log = createLog('info', { write: line => lines.push(line) })
    const cause = Object.assign(new Error('inner'), { code: 'ECONNREFUSED', secret: 'canary' })
    log.error(
      {
        err: Object.assign(new Error('outer', { cause }), { body: 'canary' }),
        req: 'canary',
        res: 'canary',
      },
      'm',
    )
    log.error({ err: 'canary' }, 'm')

    const [first = '', second = ''] = lines
    t.match(JSON.parse(first), {
      msg: 'm',
      err: {
        type: 'Error',
        message: 'outer',
        stack: /outer/,
        cause: { message: 'inner', code: 'ECONNREFUSED' },
      },
    })
    t.match(JSON.parse(second), { err: { type: 'string', message: 'not an Error' } })
    t.notOk(lines.join('').includes('canary'))
  },
)

/** A program that has the service's log on its standard output. */
function program(t: Test, text: string) {
  const of = (name: string) => new URL(`../../src/telemetry/${name}.ts`, import.meta.url).href
  const source = `import { createLog } from '${of('log')}'; import { logOutput } from '${of('log-output')}'
    let dropped = 0; const output = logOutput({ onDropped: lines => { dropped += lines } })
    const log = createLog('info', output); ${text}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source])
  t.teardown(() => child.kill('SIGKILL'))
  return child
}

t.test('what was logged before the process ends is written before it ends', async t => {
  const { stdout } = program(t, "log.info('first'); log.info('last'); process.exit(0)")
  const lines = (await textOf(stdout)).trim().split('\n')
  t.same(
    lines.map(line => JSON.parse(line).msg),
    ['first', 'last'],
  )
})

t.test('a reader that stalls stops nobody', async t => {
  const { stderr } = program(
    t,
    `for (let at = 0; at < 10_000; at += 1) log.info('x'.repeat(1000))
     setTimeout(() => console.error('still here'), 300)
     setInterval(() => undefined, 1000)`,
  )
  const [said] = await once(stderr, 'data')
  t.equal(String(said), 'still here\n')
})

t.test(
  'a reader that is gone, or stalls, neither ends the service nor keeps it from ending',
  async t => {
    const gone = program(
      t,
      `process.on('exit', () => console.error('dropped', dropped))
     setInterval(() => log.info('x'.repeat(5000)), 5)
     setTimeout(() => process.exit(0), 300)`,
    )
    gone.stdout.destroy()
    t.match(await textOf(gone.stderr), /^dropped [1-9]/)

    const stalling = program(
      t,
      `for (let at = 0; at < 30_000; at += 1) log.info('x'.repeat(1000))
     setImmediate(async () => {
       await output.flush(100)
       console.error('dropped', dropped)
       process.exit(0)
     })`,
    )
    t.match(await textOf(stalling.stderr), /^dropped [1-9]/)
  },
)

t.test('a full disk ends nothing', async t => {
  const { href } = new URL('../../src/telemetry/log-output.ts', import.meta.url)
  const source = `import { openSync } from 'node:fs'; import { logOutput } from '${href}'
    let dropped = 0
    const output = logOutput({ fd: openSync('/dev/full', 'w'), onDropped: n => { dropped += n } })
    output.write('x'.repeat(5000) + '\\n')
    setTimeout(() => { console.log(dropped > 0); process.exit(0) }, 300)`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source])
  t.teardown(() => child.kill('SIGKILL'))
  t.equal(await textOf(child.stdout), 'true\n')
})

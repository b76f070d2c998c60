import t from 'tap'
import { createLog } from '../src/log.ts'
import { evaluationPath, world } from './helpers/world.ts'

t.test('the log shows no token, prompt, answer or header, through success and failure', async t => {
  const prompt = 'canary-prompt-1f9c'
  const { start, get, post, clock, log } = await world(t)

  for (const failure of ['', '401', '403', '429', '500', 'html', 'shape', 'claims']) {
    const content = `${prompt} [sim:getEvaluation=${failure}]`
    const reply = await start(content, { SkillName: 'Canary', SkillInputs: { key: 'canary-input-77' } })
    clock.advance(20_000)
    await get(evaluationPath(reply), { authorization: 'Bearer canary-token', 'x-other': 'canary-header' })
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

t.test('an error is logged with its code, its stack and its causes, and nothing else that it carries', async t => {
  const lines: string[] = []
  const log = createLog('info', { write: line => lines.push(line) })
  const cause = Object.assign(new Error('inner'), { code: 'ECONNREFUSED', secret: 'canary' })
  log.error(
    { err: Object.assign(new Error('outer', { cause }), { body: 'canary' }), req: 'canary', res: 'canary' },
    'm',
  )
  log.error({ err: 'canary' }, 'm')

  const [first = '', second = ''] = lines
  t.match(JSON.parse(first), {
    msg: 'm',
    err: { type: 'Error', message: 'outer', stack: /outer/, cause: { message: 'inner', code: 'ECONNREFUSED' } },
  })
  t.match(JSON.parse(second), { err: { type: 'string', message: 'not an Error' } })
  t.notOk(lines.join('').includes('canary'))
})

import { run } from '../lib/run.ts'
import { explained } from '../start-problem.ts'
import { version } from '../version.ts'
import { greeting } from './greeting.ts'
import { readableLog } from './readable-log.ts'
import { createSandbox } from './sandbox.ts'

/** The sandbox for programs: JSON lines, as the service writes them. */
async function startPlain() {
  const { service, close } = await createSandbox(process.env)
  await service.listen()
  service.app.log.warn('sandbox: no AI is called; every answer is simulated')
  return { ...service, close }
}

/** The sandbox for people: it greets, and its log is readable. */
async function startOnTerminal() {
  const colours = process.stdout.hasColors()
  const { log, output } = await readableLog(process.env['LOG_LEVEL']?.trim() || 'info', colours)
  const { service, close } = await createSandbox(
    process.env,
    { log },
    {
      onBegan: event => log.info(event, 'prompt began'),
      onEnded: event => log.info(event, 'prompt ended'),
    },
  )
  const url = await service.listen()
  process.stdout.write(
    greeting({
      url: url.replace('//127.0.0.1:', '//localhost:'),
      version,
      promptbooks: service.app.hasRoute({ method: 'POST', url: '/run-promptbook' }),
      colours,
      platform: process.platform,
    }),
  )
  return {
    ...service,
    async close() {
      await close()
      await output.flush(500)
    },
  }
}

// `npm run sandbox`
await run(() => explained(process.stdout.isTTY ? startOnTerminal : startPlain), 0)

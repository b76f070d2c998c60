import { run } from '../lib/run.ts'
import { explained } from '../start-problem.ts'
import { createSandbox } from './sandbox.ts'

/** Opens the service, with nothing configured, on the built-in simulator of Graph and Entra. */
async function start() {
  const { service, close } = await createSandbox(process.env)
  await service.listen()
  service.app.log.warn('sandbox: no AI is called; every answer is simulated')
  return { ...service, close }
}

// `npm run sandbox`
await run(() => explained(start), 0)

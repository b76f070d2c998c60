import { run } from '../lib/run.ts'
import { createSandbox } from './sandbox.ts'

// `npm run sandbox`: the service, with nothing configured, on the built-in simulator of Graph and
// Entra.
await run(async () => {
  const { service, close } = await createSandbox(process.env)
  await service.listen()
  service.app.log.warn('sandbox: no AI is called; every answer is simulated')
  return { ...service, close }
}, 0)

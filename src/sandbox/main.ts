import { systemClock as clock } from '../lib/clock.ts'
import { createLog } from '../telemetry/log.ts'
import { run } from '../lib/run.ts'
import { createSandbox } from './sandbox.ts'

// `npm run sandbox`: the service, with nothing configured, on the built-in simulator of Graph and
// Entra.
await run(async () => {
  const { app, config, close } = await createSandbox({ env: process.env, clock, createLog })
  await app.listen({ host: config.HOST, port: config.PORT })
  app.log.warn('sandbox: no AI is called; every answer is simulated')
  return { stop: () => app.shutdown.stop(), close }
}, 0)

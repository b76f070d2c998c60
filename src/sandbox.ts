import { systemClock as clock } from './clock.ts'
import { createLog } from './log.ts'
import { run } from './run.ts'
import { createSandbox } from './sandbox-service.ts'

// `npm run sandbox`: the service, with nothing configured, on the built-in simulator of Graph and Entra.
await run(async () => {
  const { app, config, close } = await createSandbox({ env: process.env, clock, createLog })
  await app.listen({ host: config.HOST, port: config.PORT })
  app.log.warn('sandbox: no AI is called; every answer is simulated')
  return { stop: () => app.shutdown.stop(), close }
}, 0)

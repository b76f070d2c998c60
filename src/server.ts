import { readConfig } from './config.ts'
import { run } from './lib/run.ts'
import { createService } from './service.ts'

/** Time for a balancer to see that this replica is not ready, in ms. */
const drainMs = 2000

// `npm start`: the service, from the environment.
await run(async () => {
  const service = await createService(readConfig(process.env))
  await service.listen()
  return service
}, drainMs)

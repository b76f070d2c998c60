import { configWarnings, readConfig } from './config.ts'
import { run } from './lib/run.ts'
import { readProxy } from './outbound.ts'
import { createService } from './service.ts'
import { explained } from './start-problem.ts'

/** Time for a balancer to see that this replica is not ready, in ms. */
const drainMs = 2000

/** Opens the service that the environment describes. */
async function start() {
  const config = readConfig(process.env)
  const service = await createService(config, { proxy: readProxy(process.env) })
  for (const warning of configWarnings(config)) service.app.log.warn(`configuration: ${warning}`)
  await service.listen()
  return service
}

// `npm start`: the service, from the environment.
await run(() => explained(start), drainMs)

import { systemClock } from './clock.ts'
import { readConfig } from './config.ts'
import { authenticateByEntra } from './connections/entra.ts'
import { createLog } from './log.ts'
import { run } from './run.ts'
import { createService } from './service.ts'
import { connectStore } from './store.ts'

// `npm start`: the service, from the environment.
await run(async () => {
  const config = readConfig(process.env)
  const clock = systemClock
  const authenticate = authenticateByEntra(config, clock)
  const log = createLog(config.LOG_LEVEL)
  const store = await connectStore(config.REDIS_URL)
  const app = createService({ config, authenticate, clock, log, store })
  await app.listen({ host: config.HOST, port: config.PORT })
  return () => app.close()
})

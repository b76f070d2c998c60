import { systemClock } from './clock.ts'
import { readConfig } from './config.ts'
import { refuseEveryone } from './connections/none.ts'
import { createLog } from './log.ts'
import { run } from './run.ts'
import { createService } from './service.ts'

// `npm start`: the service, from the environment.
await run(async () => {
  const config = readConfig(process.env)
  const log = createLog(config.LOG_LEVEL)
  const app = createService({ config, authenticate: refuseEveryone, clock: systemClock, log })
  await app.listen({ host: config.HOST, port: config.PORT })
  return () => app.close()
})

import { systemClock } from './lib/clock.ts'
import { readConfig } from './config.ts'
import { createEntra } from './auth/entra.ts'
import { createLog } from './telemetry/log.ts'
import { createObservability } from './telemetry/telemetry.ts'
import { run } from './lib/run.ts'
import { createService } from './service.ts'
import { connectStore } from './redis.ts'

/** Time for a balancer to see that this replica is not ready, in ms. */
const drainMs = 2000

// `npm start`: the service, from the environment.
await run(async () => {
  const config = readConfig(process.env)
  const clock = systemClock
  const log = createLog(config.LOG_LEVEL)
  const observability = await createObservability(config)
  const { observer } = observability
  const { authenticate, checkKeys } = createEntra({ config, clock, observer })
  const store = await connectStore(config.REDIS_URL)
  const app = createService({
    config,
    authenticate,
    checks: [checkKeys],
    clock,
    log,
    store,
    ...observability,
  })
  await app.listen({ host: config.HOST, port: config.PORT })
  return {
    stop: () => app.shutdown.stop(),
    async close() {
      await app.close()
      await observability.close()
    },
  }
}, drainMs)

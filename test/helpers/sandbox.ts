import type { Test } from 'tap'
import { createLog } from '../../src/telemetry/log.ts'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { leapingClock, type LeapingClock } from './clock.ts'
import { freePort } from './free-port.ts'

/**
 * The sandbox as `npm run sandbox` starts it, in this process and on a clock that leaps; closed
 * when the test ends.
 */
export async function sandbox(
  t: Test,
  env: Record<string, string> = {},
): Promise<{ url: string; clock: LeapingClock }> {
  const clock = leapingClock(Date.now())
  const port = await freePort()
  const { app, close } = await createSandbox({
    env: { PORT: String(port), ...env },
    clock,
    createLog: () => createLog('silent'),
  })
  await app.listen({ host: '127.0.0.1', port })
  t.teardown(() => {
    app.server.closeAllConnections()
    return close()
  })
  return { url: `http://localhost:${port}`, clock }
}

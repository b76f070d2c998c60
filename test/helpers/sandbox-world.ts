import type { Test } from 'tap'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { leapingClock, type LeapingClock } from './leaping-clock.ts'
import { freePort } from './free-port.ts'

/**
 * The sandbox as `npm run sandbox` starts it, in this process and on a clock that leaps; closed
 * with the test.
 */
export async function sandbox(
  t: Test,
  env: Record<string, string> = {},
): Promise<{ url: string; clock: LeapingClock }> {
  const clock = leapingClock(Date.now())
  const port = await freePort()
  const { service, close } = await createSandbox(
    { PORT: String(port), LOG_LEVEL: 'silent', ...env },
    { clock },
  )
  await service.listen({ host: '127.0.0.1', port })
  t.teardown(() => {
    service.app.server.closeAllConnections()
    return close()
  })
  return { url: `http://localhost:${port}`, clock }
}

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
): Promise<{
  url: string
  clock: LeapingClock
  identityToken: (audience: string) => Promise<string>
}> {
  const clock = leapingClock(Date.now())
  const port = await freePort()
  const { service, identityEndpoint, close } = await createSandbox(
    { PORT: String(port), LOG_LEVEL: 'silent', ...env },
    { clock },
  )
  await service.listen({ host: '127.0.0.1', port })
  t.teardown(() => {
    service.app.server.closeAllConnections()
    return close()
  })
  async function identityToken(audience: string): Promise<string> {
    const response = await fetch(`${identityEndpoint}?resource=${audience}`, {
      headers: { 'x-identity-header': 'sandbox-identity' },
    })
    return ((await response.json()) as { access_token: string }).access_token
  }
  return { url: `http://localhost:${port}`, clock, identityToken }
}

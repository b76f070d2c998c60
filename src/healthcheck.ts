import { Agent, get } from 'node:http'

// The container's health check: exits with 0 when the process answers. Liveness, not readiness: a
// restart cures no dependency. It asks where the service listens, and never by way of a proxy.
const HOST = process.env['HOST']?.trim() || '127.0.0.1'
const PORT = process.env['PORT']?.trim() || '8080'

/** An address that stands for all of them is none to connect to. */
const own: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const host = Object.hasOwn(own, HOST) ? own[HOST] : HOST

process.exitCode = 1
const asked = get(
  { host, port: PORT, path: '/livez', agent: new Agent(), timeout: 1500 },
  response => {
    process.exitCode = response.statusCode === 200 ? 0 : 1
    response.resume()
  },
)
asked.on('timeout', () => asked.destroy())
asked.on('error', () => undefined)

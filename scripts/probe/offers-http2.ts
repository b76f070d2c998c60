import { isIP } from 'node:net'
import { connect } from 'node:tls'

/** How long a handshake may take. */
const patienceMs = 10_000

/**
 * Whether a server offers HTTP/2, by the handshake alone; `undefined` for plain HTTP, and when
 * there is no handshake.
 */
export function offersHttp2(address: string): Promise<boolean | undefined> {
  const { protocol, hostname, port } = new URL(address)
  if (protocol !== 'https:') return Promise.resolve(undefined)
  return new Promise(resolve => {
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      ...(isIP(hostname) === 0 && { servername: hostname }),
      ALPNProtocols: ['h2', 'http/1.1'],
      timeout: patienceMs,
    })
    const settle = (offers: boolean | undefined) => {
      socket.destroy()
      resolve(offers)
    }
    socket.once('secureConnect', () => settle(socket.alpnProtocol === 'h2'))
    socket.once('error', () => settle(undefined))
    socket.once('timeout', () => settle(undefined))
  })
}

import { EnvHttpProxyAgent, fetch as undiciFetch, Pool, type Dispatcher } from 'undici'
import type { Fetch } from './auth/fetch.ts'
import { maxConnections } from './graph/request.ts'

/**
 * What the environment says of the proxy on the way out; each in either case, the lower one first.
 */
export interface ProxySettings {
  readonly httpProxy?: string | undefined
  readonly httpsProxy?: string | undefined
  /** Hosts that are reached without it. */
  readonly noProxy?: string | undefined
}

/** The one way out: to Graph, to Entra and to the collector of traces. */
export interface Outbound {
  /** Connections to Graph; closed by who uses them. */
  createDispatcher(origin: string): Dispatcher
  /** For Entra; the machine's own `fetch` where there is no proxy. */
  readonly fetch: Fetch
  readonly proxy: ProxySettings
  close(): Promise<void>
}

/** Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. Pure. */
export function readProxy(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string): string | undefined =>
    (env[name.toLowerCase()] ?? env[name])?.trim() || undefined
  return {
    httpProxy: read('HTTP_PROXY'),
    httpsProxy: read('HTTPS_PROXY'),
    noProxy: read('NO_PROXY'),
  }
}

// HTTP/1.1: measured no dearer than HTTP/2, and one lost connection then loses one call.
const connectionOptions = {
  connections: maxConnections,
  allowH2: false,
  keepAliveTimeout: 30_000,
} as const

/** One outbound policy for whatever the service calls. */
export function createOutbound(proxy: ProxySettings): Outbound {
  const { httpProxy, httpsProxy, noProxy } = proxy
  if (httpProxy === undefined && httpsProxy === undefined) {
    return {
      createDispatcher: origin => new Pool(origin, connectionOptions),
      fetch: (url, init) => fetch(url, init),
      proxy,
      close: async () => undefined,
    }
  }
  const options = {
    ...(httpProxy !== undefined && { httpProxy }),
    ...(httpsProxy !== undefined && { httpsProxy }),
    noProxy: noProxy ?? '',
  }
  const agent = new EnvHttpProxyAgent({ ...options, allowH2: false })
  return {
    createDispatcher: () => new EnvHttpProxyAgent({ ...options, ...connectionOptions }),
    fetch: (url, init) => undiciFetch(url, { ...(init as object), dispatcher: agent }),
    proxy,
    close: () => agent.close(),
  }
}

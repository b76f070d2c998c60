import type { Cluster, Redis } from 'ioredis'
import { untilWell, type RedisFailures } from './redis-failures.ts'
import { commonOptions, retryPauses, signIn, tlsOptions } from './redis-options.ts'
import type { RedisTarget } from './redis-target.ts'

/** Why it failed is told by the node's own error. */
const connect = (node: Redis): Promise<void> => node.connect().catch(() => undefined)

/** A connection to every node of a cluster, found through any of the URLs. */
export async function connectCluster(
  target: RedisTarget,
  failures: RedisFailures,
): Promise<Cluster> {
  const { Cluster: Client } = await import('ioredis')
  const pauses = retryPauses()
  const { report, well, lost } = untilWell(failures)
  const cluster = new Client(
    target.addresses().map(({ host, port }) => ({ host, port })),
    {
      enableOfflineQueue: false,
      slotsRefreshTimeout: 2000,
      // Names go on as they are: TLS needs them.
      dnsLookup: (address, callback) => callback(null, address),
      clusterRetryStrategy() {
        target.lost()
        return pauses.next()
      },
      redisOptions: commonOptions(report),
    },
  )
  // A node is connected to before it is needed: while that is under way it takes no command.
  cluster.on('ready', () => {
    well()
    pauses.ready()
    for (const node of cluster.nodes('master')) void connect(node)
  })
  cluster.on('error', report)
  cluster.on('node error', report)
  cluster.on('reconnecting', () => lost('the cluster says that it is down'))
  cluster.on('+node', (node: Redis) => {
    const addresses = target.addresses()
    const [first] = addresses
    const { host = '' } = node.options
    Object.assign(
      node.options,
      signIn(first?.username, first?.password),
      first?.secure && {
        tls: tlsOptions(
          host,
          addresses.map(address => address.host),
        ),
      },
    )
    // Not before the cluster is ready: it asks its nodes itself then.
    if (cluster.status === 'ready') setImmediate(() => void connect(node))
  })
  cluster.on('-node', () => target.lost())
  return cluster
}

import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Authenticate } from './connections/connection.ts'
import { createCopilot } from './copilot/copilot.ts'
import { createGraphClient } from './graph/client.ts'
import { createGraphRequest } from './graph/request.ts'

export interface ServiceOptions {
  readonly config: Config
  readonly authenticate: Authenticate
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  /** Put on every answer. */
  readonly extraHeaders?: Readonly<Record<string, string>>
  /** Limits on one call to Graph; the contract's when absent. */
  readonly graphLimits?: { readonly timeoutMs?: number; readonly maxBodyBytes?: number }
}

/** The service that a configuration describes. It listens to nothing yet; closing it closes what it opened. */
export function createService({ config, graphLimits, clock, ...parts }: ServiceOptions): FastifyInstance {
  const baseUrl = config.GRAPH_BASE_URL
  const { send, close } = createGraphRequest({ baseUrl, clock, ...graphLimits })
  const graph = createGraphClient({ send, baseUrl, workspaceId: config.WORKSPACE_ID })
  const app = buildApp({
    ...parts,
    clock,
    copilot: createCopilot({ graph, clock, skillMode: config.SKILL_MODE }),
    publicUrl: config.PUBLIC_URL,
    submitWaitSeconds: config.SUBMIT_WAIT_SECONDS,
  })
  app.addHook('onClose', close)
  return app
}

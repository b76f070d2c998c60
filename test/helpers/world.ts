import type { Test } from 'tap'
import { readConfig } from '../../src/config.ts'
import type { Authenticate } from '../../src/auth/caller.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createService, type ServiceOverrides } from '../../src/service.ts'
import {
  createGraphSimulator,
  type SimulatorOptions,
} from '../../src/sandbox/graph/graph-simulator.ts'
import { createModel, type Model, type ModelOptions } from '../../src/sandbox/graph/graph-model.ts'
import type { Observer } from '../../src/telemetry/observer.ts'
import type { Tracer } from '../../src/telemetry/tracer.ts'
import { callerOf } from './callers.ts'
import { leapingClock, type LeapingClock } from './leaping-clock.ts'
import { environmentVariables } from './environment.ts'

export interface WorldOptions {
  /** @default a clock of its own */
  readonly clock?: LeapingClock
  readonly env?: Record<string, string>
  readonly model?: Partial<ModelOptions>
  readonly simulator?: Partial<SimulatorOptions>
  readonly graphLimits?: ServiceOverrides['graphLimits']
  /** @default by name; `entra` is the service's own way */
  readonly authenticate?: Authenticate | 'entra'
  readonly checks?: ServiceOverrides['checks']
  readonly observer?: Observer
  readonly tracer?: Tracer
  readonly serverLimits?: ServiceOverrides['serverLimits']
  readonly entraTimeoutMs?: number
  readonly proxy?: NonNullable<ServiceOverrides['proxy']>
  /** Awaited before Graph looks at a call. */
  readonly beforeGraph?: (method: string, url: string) => Promise<unknown>
  /** Stands in for the simulator. */
  readonly graphUrl?: string
  /** Listens here and hands out URLs that can be followed. */
  readonly port?: number
}

/** What came back, body parsed. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export interface World {
  readonly url: string
  /** Where Graph is, for another service on the same. */
  readonly graphUrl: string
  readonly clock: LeapingClock
  readonly model: Model
  /** The operations that Graph was asked for, in order. */
  readonly calls: string[]
  /** The most calls that Graph had to answer at the same time. */
  mostAtOnce(): number
  /** The lines the service logged. */
  readonly log: string[]
  get(path: string, headers?: Record<string, string>): Promise<Reply>
  /** Posts a JSON body; a string is sent as it is. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>
  /** `POST /process-prompt` with this content, answered at once. */
  start(content: string, more?: object): Promise<Reply>
  /** As on SIGTERM, before the service closes. */
  stop(): void
  /** As when a process that stops cannot wait any more. */
  cut(): void
  close(): Promise<void>
}

const scopes = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']

/** Callers by name: the header `x-test-caller` picks the connection, as a verified token will. */
const byName: Authenticate = async ({ headers }) =>
  callerOf(String(headers['x-test-caller'] ?? 'alice'))

export async function request(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, init)
  const text = await response.text()
  const json = response.headers.get('content-type')?.startsWith('application/json')
  return {
    status: response.status,
    headers: response.headers,
    body: json && text ? JSON.parse(text) : text || undefined,
  }
}

/** A service of its own on a simulator of its own, over real HTTP, closed when the test ends. */
export async function world(t: Test, options: WorldOptions = {}): Promise<World> {
  const { env = {}, port = 0, clock = leapingClock() } = options
  const { authenticate = byName } = options
  const calls: string[] = []
  const log: string[] = []

  const model = createModel({ clock, ...options.model })
  const simulator = createGraphSimulator({
    model,
    clock,
    authorise: token =>
      token.startsWith('token-of-')
        ? { owner: token.slice('token-of-'.length), scopes }
        : undefined,
    onCall: operation => calls.push(operation),
    ...options.simulator,
  })
  let atOnce = 0
  let most = 0
  simulator.addHook('onRequest', async ({ method, url }) => {
    atOnce += 1
    most = Math.max(most, atOnce)
    await options.beforeGraph?.(method, url)
  })
  simulator.addHook('onResponse', async () => {
    atOnce -= 1
  })
  const simulatorUrl = await simulator.listen({ host: '127.0.0.1', port: 0 })

  const graphUrl = options.graphUrl ?? `${simulatorUrl}/beta`
  const config = readConfig({
    ...environmentVariables,
    GRAPH_BASE_URL: graphUrl,
    // A poll of a result tells at once how it stands, unless a test is about that.
    RESULT_WAIT_SECONDS: '0',
    ...(port && { PUBLIC_URL: `http://127.0.0.1:${port}` }),
    ...env,
  })
  const { checks, observer, tracer, serverLimits, graphLimits, entraTimeoutMs, proxy } = options
  const given = Object.fromEntries(
    Object.entries({
      checks,
      observer,
      tracer,
      serverLimits,
      graphLimits,
      entraTimeoutMs,
      proxy,
    }).filter(([, value]) => value !== undefined),
  )
  const service = await createService(config, {
    clock,
    log: createLog('trace', { write: line => log.push(line) }),
    ...(authenticate !== 'entra' && { authenticate }),
    ...given,
  })
  const url = await service.listen({ host: '127.0.0.1', port })
  const close = async () => {
    await service.close()
    await simulator.close()
  }
  t.teardown(close)

  const post: World['post'] = (path, body, headers = {}) =>
    request(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  return {
    url,
    graphUrl,
    clock,
    model,
    calls,
    mostAtOnce: () => most,
    log,
    stop: service.stop,
    cut: service.cut,
    close,
    get: (path, headers = {}) => request(url + path, { headers }),
    post,
    start: (content, more = {}) =>
      post('/process-prompt', { PromptContent: content, ...more }, { prefer: 'respond-async' }),
  }
}

/** The path of a run's evaluation, from any answer that carries its ids. */
export const evaluationPath = ({ body }: Reply): string =>
  `/sessions/${body.sessionId}/prompts/${body.promptId}/evaluations/${body.evaluationId}`

import { randomUUID } from 'node:crypto'
import { systemClock } from './clock.ts'
import { readConfig } from './config.ts'
import { carriesCredentials, type Authenticate } from './connections/connection.ts'
import { refuseEveryone } from './connections/none.ts'
import { createLog } from './log.ts'
import { run } from './run.ts'
import { createService } from './service.ts'
import { createSimulator } from './simulator/graph.ts'
import { createModel } from './simulator/model.ts'

/** The simulated tenant takes the place of every Entra variable. */
const withoutEntra = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ENTRA_')))

// `npm run sandbox`: the service, with nothing configured, on the built-in simulator.
await run(async () => {
  const token: string = randomUUID()
  const scopes = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']
  const callers = new Map([[token, { owner: 'sandbox', scopes }]])
  const simulator = createSimulator({
    model: createModel({ clock: systemClock }),
    clock: systemClock,
    authorise: bearer => callers.get(bearer),
  })
  const simulatorUrl = await simulator.listen({ host: '127.0.0.1', port: 0 })

  const config = readConfig({
    ...withoutEntra(process.env),
    GRAPH_BASE_URL: `${simulatorUrl}/beta`,
    ENTRA_TENANT_ID: randomUUID(),
    ENTRA_CLIENT_ID: randomUUID(),
    ENTRA_CLIENT_SECRET: randomUUID(),
  })
  const sandbox = { key: 'sandbox', graphToken: async () => token }
  const authenticate: Authenticate = async headers => (carriesCredentials(headers) ? refuseEveryone(headers) : sandbox)
  const log = createLog(config.LOG_LEVEL)
  const app = createService({ config, authenticate, clock: systemClock, log, extraHeaders: { 'x-sandbox': 'true' } })
  await app.listen({ host: config.HOST, port: config.PORT })
  log.warn('sandbox: no AI is called; every answer is simulated')
  return async () => {
    await app.close()
    await simulator.close()
  }
})

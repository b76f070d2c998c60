import { systemClock as clock } from '../src/clock.ts'
import { createSimulator } from '../src/simulator/graph.ts'
import { createModel } from '../src/simulator/model.ts'

// A process of its own: Graph's simulator, in which every token is good for the same caller. Says where it listens.
const scopes = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']
const graph = createSimulator({
  model: createModel({ clock, evaluationSeconds: 0 }),
  clock,
  authorise: () => ({ owner: 'bench', scopes }),
})
process.send?.({ url: await graph.listen({ host: '127.0.0.1', port: 0 }) })

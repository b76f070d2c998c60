import { systemClock as clock } from '../../src/lib/clock.ts'
import { createGraphSimulator } from '../../src/sandbox/graph/graph-simulator.ts'
import { createModel } from '../../src/sandbox/graph/graph-model.ts'
import type { Failure } from '../../src/sandbox/graph/markers.ts'
import { present } from './answer.ts'

// Graph's simulator, in which every token is good for the same caller. Arguments: seconds of an
// evaluation, ms that every answer takes, share of calls that fail once it is told "fail". Asked
// "calls", it says how many calls it had of each operation since it was last asked.
const [seconds = '0', delayMs = '0', faults = '0'] = process.argv.slice(2)
let failing = false
const scopes = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']
let calls: Record<string, number> = {}
const failure: Failure = { kind: 'status', status: 503, retryAfter: undefined, times: undefined }
const graph = createGraphSimulator({
  model: createModel({ clock, evaluationSeconds: Number(seconds) }),
  clock,
  authorise: () => ({ owner: 'bench', scopes }),
  onCall: operation => {
    calls[operation] = (calls[operation] ?? 0) + 1
  },
  fault: () => (failing && Math.random() < Number(faults) ? failure : undefined),
})
if (Number(delayMs) > 0) {
  graph.addHook('onRequest', (_request, _reply, done) => {
    setTimeout(done, Number(delayMs))
  })
}
process.on('message', question => {
  if (question === 'fail') {
    failing = true
    process.send?.({})
  } else if (question === 'calls') {
    process.send?.(calls)
    calls = {}
  }
})
present({ url: await graph.listen({ host: '127.0.0.1', port: 0 }) })

import t from 'tap'
import type { ModelOptions } from '../../src/sandbox/graph/graph-model.ts'
import type { SimulatorOptions } from '../../src/sandbox/graph/graph-simulator.ts'
import { samplePlugins } from '../../src/sandbox/graph/sample-plugins.ts'
import { readFacts } from '../../src/sandbox/graph/facts.ts'
import type { ProbeOptions } from '../../scripts/probe/probe.ts'
import {
  differing,
  probeWorld,
  probing,
  readAll,
  tokenOf,
  writeAll,
} from '../helpers/probe-world.ts'

interface Change {
  readonly what: string
  readonly model?: Partial<ModelOptions>
  readonly simulator?: Partial<SimulatorOptions>
  readonly scopes?: readonly string[]
  /** The rows that must differ, and no other. */
  readonly rows: readonly string[]
  readonly advice?: readonly string[]
}

const running = { state: 'running', afterMs: 3500 }
const either = [readAll, writeAll]

const changes: readonly Change[] = [
  { what: 'nothing', rows: [] },
  { what: 'a single entity', simulator: { bareEvaluation: true }, rows: ['listing.form'] },
  { what: 'late lists', model: { listedAfterSeconds: 2 }, rows: ['listing.delay'] },
  { what: 'lists that stay empty', model: { listedAfterSeconds: 60 }, rows: ['listing.delay'] },
  { what: '$top that is ignored', simulator: { honoursTop: false }, rows: ['paging.top'] },
  {
    what: 'links that lead elsewhere',
    simulator: { pageSize: 2, linksTo: 'https://elsewhere.example/beta' },
    rows: ['paging.size', 'paging.links'],
  },
  { what: 'short pages', simulator: { pageSize: 2 }, rows: ['paging.size'] },
  {
    what: 'many plugins',
    model: { plugins: Array(150).fill(samplePlugins[0]) },
    simulator: { pageSize: 500 },
    rows: ['paging.size'],
  },
  {
    what: 'a further member',
    simulator: {
      shapes: { getEvaluation: { errorDetails: ['object'], 'result/sources': ['list'] } },
    },
    rows: ['shape.getEvaluation'],
  },
  {
    what: 'null instead of text',
    simulator: { shapes: { getPrompt: { createdDateTime: ['null'] } } },
    rows: ['shape.getPrompt'],
  },
  {
    what: 'a member that is missing',
    simulator: { shapes: { listPlugins: { isEnabled: ['absent'] } } },
    rows: ['shape.listPlugins'],
  },
  {
    what: 'a refused list',
    simulator: { refused: { listEvaluations: { status: 403, code: 'Forbidden' } } },
    rows: ['call.listEvaluations'],
    advice: ['roleMissing'],
  },
  {
    what: 'no sessions for this user',
    simulator: { refused: { createSession: { status: 403, code: 'AccessDenied' } } },
    rows: ['call.createSession'],
    advice: ['roleMissing'],
  },
  {
    what: 'skillName by prefix',
    model: { skillNames: { slash: true } },
    rows: ['skillName.slash'],
  },
  {
    what: 'skillName always',
    model: { skillNames: { slash: true, plain: true } },
    rows: ['skillName.plain', 'skillName.slash'],
  },
  {
    what: 'another state between',
    model: {
      states: {
        created: 'created',
        running: [{ state: 'pending', afterMs: 0 }, running],
        ended: 'completed',
      },
    },
    rows: ['evaluation.states'],
  },
  {
    what: 'states of other names',
    model: { states: { created: 'queued', running: [], ended: 'done' } },
    rows: ['evaluation.states'],
  },
  {
    what: 'evaluations that wait for ever',
    model: { states: { created: 'created', running: [{ state: 'waitingForInput', afterMs: 0 }] } },
    rows: ['evaluation.states'],
  },
  { what: 'another result', model: { resultType: 'rejected' }, rows: ['evaluation.result'] },
  { what: 'quick evaluations', model: { evaluationSeconds: 4 }, rows: ['evaluation.duration'] },
  { what: 'prompts that run unasked', model: { runsUnasked: true }, rows: ['unrun.itself'] },
  {
    what: 'prompts that disturb the next',
    model: { afterUnrun: { result: 'error' } },
    rows: ['unrun.next'],
  },
  {
    what: 'prompts that cancel the next',
    model: { afterUnrun: { state: 'cancelled' } },
    rows: ['unrun.next'],
  },
  {
    what: 'ReadWrite.All that reads',
    simulator: { permissions: { read: either } },
    scopes: [writeAll],
    rows: ['permission.read'],
  },
  {
    what: 'Read.All that writes',
    simulator: { permissions: { write: either } },
    scopes: [readAll],
    rows: ['permission.write'],
  },
  { what: 'a token that only reads', scopes: [readAll], rows: [], advice: ['consentMissing'] },
  { what: 'slow calls', simulator: { latencyMs: 1500 }, rows: ['wire.latency'] },
  { what: 'gzip when asked', simulator: { encoding: 'asked' }, rows: ['header.encoding'] },
  {
    what: 'a wrong clock',
    simulator: { skewSeconds: -90 },
    rows: ['wire.clock'],
    advice: ['clockWrong'],
  },
  {
    what: 'no request ids',
    simulator: { requestId: false, echoesRequestId: false },
    rows: ['header.requestId', 'header.clientRequestId'],
  },
  ...Object.entries({
    workspaceById: { status: 404, code: 'NotFound' },
    workspaceByName: { status: 200 },
    unknownWorkspace: { status: 403, code: 'Forbidden' },
    unknownPrompt: { status: 400, code: 'UnknownError' },
    unknownEvaluation: { status: 404, code: 'itemNotFound' },
    namelessSession: { status: 201 },
    blankContent: { status: 201 },
    longContent: { status: 413, code: 'RequestTooLarge' },
    overlongContent: { status: 413 },
    skillPrompt: { status: 201 },
    secondEvaluation: { status: 409, code: 'Conflict' },
  }).map(([attempt, outcome]) => ({
    what: `another outcome of ${attempt}`,
    simulator: { outcomes: { [attempt]: outcome } },
    // Who does not take 100,000 characters does not take more; the code may be Graph's usual one.
    rows:
      attempt === 'longContent'
        ? ['outcome.longContent', 'outcome.overlongContent']
        : [`outcome.${attempt}`],
  })),
]

t.test(
  'the report says what is otherwise, and nothing else; the simulator then does the same',
  async t => {
    for (const {
      what,
      model = {},
      simulator = {},
      scopes = either,
      rows,
      advice = [],
    } of changes) {
      await t.test(what, async t => {
        const w = await probeWorld(t, { model, simulator })
        const asked = (graphUrl: string): Partial<ProbeOptions> => ({
          graph: { url: graphUrl, token: tokenOf(scopes) },
        })
        const report = await probing(w, asked(w.graphUrl))
        t.same(differing(report), rows)
        t.same(report.advice, advice)

        const options = readFacts(JSON.stringify(report))
        const again = await probeWorld(t, {
          model: { ...(model.plugins && { plugins: model.plugins }), ...options.model },
          simulator: options.simulator,
        })
        t.same((await probing(again, asked(again.graphUrl))).facts, report.facts)
      })
    }
  },
)

import fc from 'fast-check'
import t from 'tap'
import {
  applyEvent,
  beginRun,
  nextAction,
  runErrors,
  runStatus,
  type RunAction,
  type RunEvent,
  type RunState,
} from '../../src/promptbooks/run-state.ts'

const numRuns = Number(process.env['LAW_RUNS'] ?? 100)

/** How the model Graph answers what is to be done, one call after the other. */
type Answer =
  | { readonly kind: 'ok'; readonly resultType: string; readonly state: string }
  /** Graph acted, the event is lost: whoever comes next does it again, and finds what is there. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly repeatable: boolean }
  | { readonly kind: 'paused' }

const answer = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('ok' as const),
      resultType: fc.oneof(
        { weight: 8, arbitrary: fc.constant('success') },
        { weight: 2, arbitrary: fc.constant('capacityExceeded') },
        fc.constantFrom('error', 'rejected', 'timedOut', 'unknown', 'needAdditionalClaims'),
      ),
      state: fc.oneof(
        { weight: 10, arbitrary: fc.constant('completed') },
        { weight: 6, arbitrary: fc.constant('running') },
        fc.constantFrom('cancelled', 'waitingForInput'),
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('lost' as const) }) },
  fc.record({ kind: fc.constant('refused' as const), repeatable: fc.boolean() }),
  fc.record({ kind: fc.constant('paused' as const) }),
)

/** Prompts and evaluations that exist, with how each evaluation ended. */
interface Evaluation {
  readonly id: string
  readonly step: number
  ended?: string
}

/** A Graph that does what it is told, and finds again what it did when its answer was lost. */
function modelGraph() {
  const prompts = new Map<number, string>()
  const evaluations: Evaluation[] = []
  let sessions = 0
  return {
    evaluations,
    sessions: () => sessions,
    /** Does the action and tells what happened. */
    perform(action: RunAction, { resultType, state }: Extract<Answer, { kind: 'ok' }>): RunEvent {
      switch (action.do) {
        case 'createSession':
          sessions += 1
          return { type: 'sessionCreated', sessionId: `s${sessions}` }
        case 'createPrompt': {
          const { step } = action
          const promptId = `p${step}`
          prompts.set(step, promptId)
          return { type: 'promptCreated', step, promptId }
        }
        case 'createEvaluation': {
          const { step, except } = action
          // The fence and the look before the send: one that is there and not spent is adopted.
          const there = evaluations.findLast(one => one.step === step)
          if (there && there.id !== except)
            return { type: 'evaluationCreated', step, evaluationId: there.id }
          const evaluationId = `e${evaluations.length}`
          evaluations.push({ id: evaluationId, step })
          return { type: 'evaluationCreated', step, evaluationId }
        }
        case 'poll': {
          const { step, evaluationId } = action
          const one = evaluations.find(({ id }) => id === evaluationId)
          if (one && ['completed', 'cancelled'].includes(state))
            one.ended ??= state === 'cancelled' ? 'cancelled' : resultType
          const said = one?.ended
          return {
            type: 'evaluationEnded',
            step,
            evaluationId,
            state: said === undefined ? 'running' : said === 'cancelled' ? said : 'completed',
            resultType: said ?? 'unknown',
          }
        }
        default:
          throw new Error(`nothing to perform: ${action.do}`)
      }
    },
  }
}

const stepOf = (action: RunAction): number => ('step' in action ? action.step : 0)

/** Runs the machine against the model; returns every state and event on the way. */
function play(count: number, answers: readonly Answer[], noise: readonly RunEvent[]) {
  const graph = modelGraph()
  const states: RunState[] = [beginRun(count)]
  const events: RunEvent[] = []
  const now = (): RunState => states.at(-1) as RunState
  const happen = (event: RunEvent): void => {
    events.push(event)
    states.push(applyEvent(now(), event))
  }
  for (const [index, one] of answers.entries()) {
    const stray = noise[index]
    if (stray) happen(stray)
    const action = nextAction(now())
    if (action.do === 'wait') happen({ type: 'resumed' })
    else if (action.do === 'done') happen({ type: 'retried' })
    else if (one.kind === 'paused') happen({ type: 'paused' })
    else if (one.kind === 'refused')
      happen({
        type: 'refused',
        step: stepOf(action),
        code: 'GraphError',
        message: 'Cannot run the prompt: refused',
        repeatable: one.repeatable,
      })
    else if (one.kind === 'lost')
      graph.perform(action, { kind: 'ok', resultType: 'success', state: 'running' })
    else happen(graph.perform(action, one))
  }
  return { graph, states, events, now, happen }
}

/** Events that nobody asked for: late, doubled, or of another run. */
const stray: fc.Arbitrary<RunEvent> = fc.oneof(
  fc.record({ type: fc.constant('sessionCreated' as const), sessionId: fc.constant('stray') }),
  fc.record({
    type: fc.constant('evaluationEnded' as const),
    step: fc.integer({ min: -1, max: 6 }),
    evaluationId: fc.constant('stray'),
    state: fc.constant('completed'),
    resultType: fc.constant('success'),
  }),
  fc.record({ type: fc.constant('retried' as const) }),
  fc.record({ type: fc.constant('paused' as const) }),
  fc.record({ type: fc.constant('resumed' as const) }),
)

const game = fc.record({
  count: fc.integer({ min: 1, max: 6 }),
  answers: fc.array(answer, { maxLength: 80 }),
  noise: fc.array(fc.option(stray, { nil: undefined }), { maxLength: 80 }),
})

const law = (check: (played: ReturnType<typeof play>, count: number) => void): void =>
  fc.assert(
    fc.property(game, ({ count, answers, noise }) => {
      const quiet = noise.map(event => event ?? ({ type: 'resumed' } as const))
      check(play(count, answers, quiet), count)
    }),
    { numRuns },
  )

const must = (holds: boolean, why: string): void => {
  if (!holds) throw new Error(why)
}

t.test('the run of a promptbook', async t => {
  t.test('has at most one evaluation a step, but for those that found no capacity', async () => {
    law(({ graph }, count) => {
      for (let step = 0; step < count; step += 1) {
        const spent = graph.evaluations.filter(
          one => one.step === step && one.ended !== 'capacityExceeded',
        )
        must(spent.length <= 1, `step ${step} has ${spent.length} evaluations`)
      }
    })
  })

  t.test('keeps the order: no step begins before the one before ended with Success', async () => {
    law(({ states, graph }, count) => {
      for (const { steps } of states) {
        must(steps.length <= count, 'more steps than prompts')
        must(
          steps.slice(0, -1).every(({ ended }) => ended === 'Success'),
          'a step before the last did not end with Success',
        )
      }
      for (const [index, { step }] of graph.evaluations.entries()) {
        const before = graph.evaluations.slice(0, index)
        must(
          step === 0 || before.some(one => one.step === step - 1 && one.ended === 'success'),
          `step ${step} began too soon`,
        )
      }
    })
  })

  t.test('forgets nothing: what exists in a state exists in every later one', async () => {
    law(({ states }) => {
      for (const [index, { sessionId, steps }] of states.entries()) {
        const next = states[index + 1]
        if (!next) continue
        must(sessionId === undefined || next.sessionId === sessionId, 'another session')
        for (const [step, { promptId, evaluationId }] of steps.entries()) {
          const later = next.steps[step]
          must(later?.promptId === promptId, 'another prompt')
          must(
            evaluationId === undefined ||
              later?.evaluationId === evaluationId ||
              later?.spentNothing === evaluationId,
            'another evaluation',
          )
        }
      }
    })
  })

  t.test('is over when no step is left, and says why it failed, and then only', async () => {
    law(({ states }) => {
      for (const state of states) {
        const status = runStatus(state)
        must((nextAction(state).do === 'done') === (status !== 'Running'), 'done and not over')
        must(runErrors(state).length > 0 === (status === 'Failed'), 'errors of no failure')
      }
    })
  })

  t.test('ends when Graph goes on answering', async () => {
    law(({ now, happen, graph }, count) => {
      // At most: resume, session, then prompt, evaluation and poll for each step.
      for (let left = 2 + 3 * count; left > 0 && runStatus(now()) === 'Running'; left -= 1) {
        const action = nextAction(now())
        const ok = { kind: 'ok', resultType: 'success', state: 'completed' } as const
        happen(action.do === 'wait' ? { type: 'resumed' } : graph.perform(action, ok))
      }
      must(runStatus(now()) !== 'Running', 'it still runs')
    })
  })

  t.test('is the same when its events are told again, also through JSON', async t => {
    law(({ events, states, now }, count) => {
      const told = JSON.parse(JSON.stringify(events)) as RunEvent[]
      const again = told.reduce(applyEvent, beginRun(count))
      t.same(again, now())
      const half = Math.floor(events.length / 2)
      const kept = JSON.parse(JSON.stringify(states[half])) as RunState
      t.same(told.slice(half).reduce(applyEvent, kept), now())
      t.same(nextAction(again), nextAction(now()))
    })
  })

  t.test('is not moved by an event that is told twice', async t => {
    law(({ events, states }) => {
      for (const [index, event] of events.entries()) {
        const after = states[index + 1] as RunState
        t.same(applyEvent(after, event), after)
      }
    })
  })
})

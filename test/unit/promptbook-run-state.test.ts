import t from 'tap'
import {
  applyEvent,
  beginRun,
  nextAction,
  runErrors,
  runStatus,
  type RunEvent,
  type RunState,
} from '../../src/promptbooks/run-state.ts'

const replay = (from: RunState, ...events: readonly RunEvent[]): RunState =>
  events.reduce(applyEvent, from)

const session: RunEvent = { type: 'sessionCreated', sessionId: 's' }
const prompt = (step: number): RunEvent => ({ type: 'promptCreated', step, promptId: `p${step}` })
const evaluation = (step: number, evaluationId = `e${step}`): RunEvent => ({
  type: 'evaluationCreated',
  step,
  evaluationId,
})
const ended = (
  step: number,
  resultType = 'success',
  { state = 'completed', evaluationId = `e${step}` } = {},
): RunEvent => ({ type: 'evaluationEnded', step, evaluationId, state, resultType })
const refused = (step: number, repeatable = true): RunEvent => ({
  type: 'refused',
  step,
  code: 'BudgetExceeded',
  message: 'Cannot run the prompt: the budget is spent',
  repeatable,
})
const retried: RunEvent = { type: 'retried' }

/** A run of two prompts whose first step has an evaluation. */
const polling = replay(beginRun(2), session, prompt(0), evaluation(0))

t.test('a run', async t => {
  await t.test('opens a session, then asks prompt after prompt', async t => {
    const seen: unknown[] = []
    let state = beginRun(2)
    for (const event of [
      session,
      prompt(0),
      evaluation(0),
      ended(0),
      prompt(1),
      evaluation(1),
      ended(1),
    ]) {
      seen.push(nextAction(state))
      t.equal(runStatus(state), 'Running')
      state = applyEvent(state, event)
    }
    t.same(seen, [
      { do: 'createSession' },
      { do: 'createPrompt', step: 0 },
      { do: 'createEvaluation', step: 0, promptId: 'p0' },
      { do: 'poll', step: 0, promptId: 'p0', evaluationId: 'e0' },
      { do: 'createPrompt', step: 1 },
      { do: 'createEvaluation', step: 1, promptId: 'p1' },
      { do: 'poll', step: 1, promptId: 'p1', evaluationId: 'e1' },
    ])
    t.same(
      [runStatus(state), nextAction(state), runErrors(state)],
      ['Completed', { do: 'done' }, []],
    )
    t.same(state, {
      count: 2,
      sessionId: 's',
      steps: [
        { promptId: 'p0', evaluationId: 'e0', ended: 'Success' },
        { promptId: 'p1', evaluationId: 'e1', ended: 'Success' },
      ],
    })
  })

  await t.test('goes on in a session that exists', async t => {
    t.same(nextAction(beginRun(1, 'given')), { do: 'createPrompt', step: 0 })
    t.equal(applyEvent(beginRun(1, 'given'), session).sessionId, 'given')
  })

  await t.test('fails with the first step that ends without success, in a line', async t => {
    for (const type of [
      'error',
      'rejected',
      'timedOut',
      'needAdditionalClaims',
      'unknown',
      'odd',
    ]) {
      const state = applyEvent(polling, ended(0, type))
      t.equal(runStatus(state), 'Failed')
      t.same(nextAction(state), { do: 'done' })
      t.match(runErrors(state), [/^Cannot go on with the promptbook: prompt 1 ended with [A-Z]/])
      t.same(applyEvent(state, retried), state, 'it spent capacity: the same key stays with it')
    }
  })

  await t.test('is cancelled with a cancelled step, for good', async t => {
    const state = applyEvent(polling, ended(0, 'unknown', { state: 'cancelled' }))
    t.same([runStatus(state), nextAction(state)], ['Cancelled', { do: 'done' }])
    t.same(applyEvent(state, retried), state)
    t.same(runErrors(state), [])
  })

  await t.test(
    'polls on while the evaluation waits for input or is in any other state',
    async t => {
      for (const state of ['running', 'waitingForInput', 'deferred', 'new'])
        t.equal(applyEvent(polling, ended(0, 'success', { state })), polling)
    },
  )

  await t.test('runs a prompt again that found no capacity, when its key comes again', async t => {
    const full = applyEvent(polling, ended(0, 'capacityExceeded'))
    t.equal(runStatus(full), 'Failed')
    const again = applyEvent(full, retried)
    const action = { do: 'createEvaluation', step: 0, promptId: 'p0', except: 'e0' }
    t.same([runStatus(again), nextAction(again)], ['Running', action])
    t.equal(applyEvent(again, evaluation(0)), again, 'the old evaluation is not adopted')
    const second = replay(again, evaluation(0, 'e0b'), ended(0, 'success', { evaluationId: 'e0b' }))
    t.same(nextAction(second), { do: 'createPrompt', step: 1 })
  })

  await t.test('goes on from a refusal that may be repeated, and from no other', async t => {
    const atEvaluation = replay(beginRun(2), session, prompt(0), refused(0))
    t.same(
      [runStatus(atEvaluation), runErrors(atEvaluation)],
      ['Failed', ['Cannot run the prompt: the budget is spent']],
    )
    t.equal(runStatus(applyEvent(atEvaluation, refused(0, false))), 'Failed')
    t.same(nextAction(applyEvent(atEvaluation, retried)), {
      do: 'createEvaluation',
      step: 0,
      promptId: 'p0',
    })
    const atPoll = applyEvent(polling, refused(0))
    t.same(nextAction(applyEvent(atPoll, retried)), nextAction(polling), 'it polls what it has')
    const atSession = applyEvent(beginRun(1), refused(0))
    t.same(nextAction(applyEvent(atSession, retried)), { do: 'createSession' })
    const atSecond = replay(polling, ended(0), refused(1))
    t.same(nextAction(applyEvent(atSecond, retried)), { do: 'createPrompt', step: 1 })
    const final = replay(beginRun(1), refused(0, false))
    t.equal(runStatus(applyEvent(final, retried)), 'Failed')
  })

  await t.test('keeps what came to be although it failed, and makes it no second time', async t => {
    const late = replay(beginRun(1), session, prompt(0), refused(0), evaluation(0))
    t.equal(runStatus(late), 'Failed')
    t.match(nextAction(applyEvent(late, retried)), { do: 'poll', evaluationId: 'e0' })
    t.match(runErrors(applyEvent(late, ended(0, 'error'))), [/budget/, /ended with Error/])
  })

  await t.test('waits while it is paused, and goes on where it was', async t => {
    const paused = applyEvent(polling, { type: 'paused' })
    t.same([runStatus(paused), nextAction(paused)], ['Running', { do: 'wait' }])
    t.same(applyEvent(paused, { type: 'resumed' }), polling)
    t.same(applyEvent(paused, retried), polling)
    t.same(applyEvent(polling, { type: 'resumed' }), polling)
    const over = applyEvent(polling, ended(0, 'error'))
    t.equal(applyEvent(over, { type: 'paused' }), over)
  })

  await t.test('is not moved by what does not fit', async t => {
    const begun = beginRun(2)
    for (const event of [prompt(0), evaluation(0), ended(0), refused(1)])
      t.equal(applyEvent(begun, event), begun)
    for (const event of [
      session,
      prompt(0),
      prompt(1),
      evaluation(0, 'other'),
      evaluation(1),
      ended(1),
      ended(0, 'success', { evaluationId: 'other' }),
      refused(1),
    ])
      t.equal(applyEvent(polling, event), polling)
    const over = replay(polling, ended(0), prompt(1), evaluation(1), ended(1))
    for (const event of [prompt(2), ended(1, 'error'), refused(1), refused(2)])
      t.equal(applyEvent(over, event), over)
  })
})

import fc from 'fast-check'
import t from 'tap'
import { compareDateTimes, isEnded } from '../../src/copilot/evaluation.ts'
import { longPoll } from '../../src/copilot/long-poll.ts'
import { isBlank } from '../../src/promptbooks/book.ts'
import { displayName, newPrompt, skillNameOf } from '../../src/copilot/prompt.ts'
import { promptbookState } from '../../src/copilot/promptbook.ts'
import { requireEnabled } from '../../src/copilot/enabled-plugins.ts'
import * as resources from '../../src/graph/resources.ts'
import type { Evaluation } from '../../src/graph/resources.ts'
import { toEvaluationResult, toPromptbookRunResult } from '../../src/routes/result.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'

const evaluation = (state: string, type?: string): Evaluation => ({
  id: '11111111-1111-4111-8111-111111111111',
  createdDateTime: '2026-01-05T09:00:00Z',
  lastModifiedDateTime: '2026-01-05T09:00:00Z',
  state,
  result: type === undefined ? null : { content: 'text', type },
})

t.test('displayName()', async t => {
  const cases: [string, string, string][] = [
    [
      'takes the first line that is not blank',
      '\n \t\r\n  Who signed in?  \nMore',
      'Who signed in?',
    ],
    ['splits at every kind of line break', '\u2028\rFirst\u2029Second', 'First'],
    ['cuts at 80 characters', 'x'.repeat(200), 'x'.repeat(80)],
    ['does not cut an emoji in half', `${'x'.repeat(79)}😀 and more`, 'x'.repeat(79)],
  ]
  for (const [name, content, expected] of cases) t.equal(displayName(content), expected, name)

  await t.test('is never empty nor too long for a prompt that is not blank', async () => {
    const prompts = fc.string({ unit: 'binary' }).filter(text => !isBlank(text))
    fc.assert(
      fc.property(prompts, text => {
        const name = displayName(text)
        return name !== '' && name.length <= 80 && name.trimStart() === name
      }),
    )
  })
})

t.test('newPrompt()', async t => {
  t.same(newPrompt({ content: 'Hello' }, 'content'), { type: 'prompt', content: 'Hello' })
  t.same(newPrompt({ content: 'Hello', skillName: 'AskGpt' }, 'content'), {
    type: 'prompt',
    content: '/AskGpt Hello',
  })
  t.same(
    newPrompt(
      { content: 'Hello', skillName: 'AskGpt', skillInputs: { a: 1.5, b: false } },
      'content',
    ),
    {
      type: 'prompt',
      content: '/AskGpt Hello\na: 1.5\nb: false',
    },
  )
  t.same(newPrompt({ content: 'Hello' }, 'native'), { type: 'prompt', content: 'Hello' })
})

t.test('skillNameOf() tells the skill of a prompt', async t => {
  const cases: [string | null, string, string | null][] = [
    ['Graph’s own word first', '/Other text', 'Graph’s own word first'],
    [null, '/AskGpt Hello', 'AskGpt'],
    [null, '/A_b.c-d\nHello', 'A_b.c-d'],
    [null, '/etc was changed on host A', null],
    [null, 'Hello /AskGpt', null],
    [null, '/etc/passwd was read', null],
    [null, '/', null],
  ]
  for (const [skillName, content, expected] of cases)
    t.equal(skillNameOf({ skillName, content }), expected, content)

  await t.test('also from what was written for one', async () => {
    const name = fc.stringMatching(/^[A-Z][A-Za-z0-9_.-]{0,127}$/)
    fc.assert(
      fc.property(name, fc.string(), (skillName, content) => {
        const written = newPrompt({ content, skillName }, 'content')
        return skillNameOf({ skillName: null, content: written.content }) === skillName
      }),
    )
  })
})

t.test('compareDateTimes() orders to the last of seven digits', async t => {
  const ordered = [
    '0001-01-01T00:00:00Z',
    '2026-01-05T09:00:00Z',
    '2026-01-05T09:00:00.07343Z',
    '2026-01-05T09:00:00.0734301Z',
    '2026-01-05T09:00:00.759634Z',
    '2026-01-05T11:00:01+01:00',
  ]
  t.same(ordered.toReversed().toSorted(compareDateTimes), ordered)
})

t.test('spelling: camel case inside, a capital letter on the wire', async t => {
  const shown = (one: Evaluation) =>
    toEvaluationResult({
      sessionId: 's',
      promptId: 'p',
      prompt: { content: '', skillName: null },
      evaluation: one,
    })
  t.equal(shown(evaluation('waitingForInput')).evaluationState, 'WaitingForInput')
  t.equal(shown(evaluation('completed', 'timedOut')).evaluationResultType, 'TimedOut')
  t.equal(shown(evaluation('created')).evaluationResultType, 'Unknown')
  t.same(
    ['created', 'running', 'completed', 'cancelled', 'Completed', 'someday'].map(state =>
      isEnded(resources.evaluation.parse(evaluation(state))),
    ),
    [false, false, true, true, true, false],
  )
})

t.test('promptbookState()', async t => {
  const cases: [string, (string | undefined)[]][] = [
    ['Created', [undefined, undefined]],
    ['Running', ['completed', undefined]],
    ['Running', ['cancelled', 'running']],
    ['WaitingForInput', ['running', 'waitingForInput', undefined]],
    ['Cancelled', ['completed', 'cancelled']],
    ['Completed', ['completed', 'completed']],
  ]
  for (const [state, states] of cases) {
    t.equal(
      toPromptbookRunResult({
        sessionId: 's',
        state: promptbookState(
          states.map(one => (one === undefined ? undefined : evaluation(one))),
        ),
        steps: [],
      }).promptbookState,
      state,
    )
  }
})

t.test('requireEnabled() takes names in any case, and names what is not enabled', async t => {
  const plugins = [
    { name: 'Entra', isEnabled: true, displayName: 'Microsoft Entra', description: null },
    { name: 'Intune', isEnabled: false, displayName: null, description: null },
  ]
  for (const name of ['Entra', 'entra', 'microsoft ENTRA', ' Entra ']) {
    t.doesNotThrow(() => requireEnabled([name], plugins), name)
  }
  t.throws(() => requireEnabled(['Entra', 'Intune'], plugins), {
    code: 'PluginNotEnabled',
    message: /not enabled in the workspace: "Intune"; enabled: "Entra"; /,
  })
  const many = Array.from({ length: 50 }, (_, at) => `p${at}`)
  t.throws(() => requireEnabled(many, plugins), { message: /"p19", 30 more; enabled/ })
})

t.test('longPoll()', async t => {
  const pace = { note: () => undefined, waitMs: () => 1000, retryAfterSeconds: () => 2 }
  const never = new AbortController().signal

  await t.test('returns at once what has ended', async t => {
    const clock = leapingClock()
    const ended = evaluation('completed', 'success')
    const read = () => t.fail('nothing to read') as never
    t.equal(
      await longPoll(ended, {
        clock,
        pace,
        until: clock.monotonic() + 1000,
        signal: never,
        read,
      }),
      ended,
    )
  })

  await t.test('reads a last time when the time is up', async t => {
    const clock = leapingClock()
    const reads: number[] = []
    const began = clock.monotonic()
    const read = async () => {
      reads.push(clock.monotonic() - began)
      return evaluation('running')
    }
    await longPoll(evaluation('created'), {
      clock,
      pace,
      until: began + 2500,
      signal: never,
      read,
    })
    t.same(reads, [1000, 2000, 2500])
  })

  await t.test('does not read for somebody who is gone', async t => {
    const clock = leapingClock()
    const read = () => t.fail('nobody waits') as never
    const created = evaluation('created')
    t.equal(
      await longPoll(created, {
        clock,
        pace,
        until: clock.monotonic() + 1000,
        signal: AbortSignal.abort(),
        read,
      }),
      created,
    )
  })
})

t.test('a result of nothing is none, and one that is half there is refused', async t => {
  const read = (result: unknown) =>
    resources.evaluation.safeParse({
      id: '11111111-1111-4111-8111-111111111111',
      createdDateTime: '2026-01-05T09:00:00Z',
      lastModifiedDateTime: '2026-01-05T09:00:00Z',
      state: 'completed',
      result,
    })
  for (const none of [undefined, null, {}, { content: null, type: null }]) {
    t.match(read(none), { success: true, data: { result: null } })
  }
  t.match(read({ content: 'x', type: 'Success' }), { data: { result: { type: 'success' } } })
  t.match(read({ content: 'x', type: null }), { success: false })
})

import { itemsOf, idOf, textOf, type Survey } from './graph-survey.ts'
import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import type { Seen } from './ask.ts'

/** When an evaluation is looked at after its creation; then every two seconds. */
const listLooksMs = [0, 500, 1500, 3500, 7500]
const everyMs = 2000

/** An evaluation that has not ended by then is left alone. */
const patienceMs = 180_000

/** How one evaluation went. */
export interface RunSeen {
  readonly created: Seen
  readonly evaluation: NonNullable<Facts['evaluation']>
  readonly listing: NonNullable<Facts['listing']>
}

/** A state or type, if it is a single word. */
const wordOf = (text: string | undefined): string =>
  text !== undefined && /^[A-Za-z]{1,64}$/.test(text) ? text : 'withheld'

const resultTypeOf = ({ body }: Seen): string =>
  wordOf(textOf((body as { result?: unknown } | undefined)?.result, 'type'))

/** Whether it will not change any more: it says when it completed, or has a state for the end. */
function hasEnded({ body }: Seen): boolean {
  const completed = textOf(body, 'completedDateTime') ?? ''
  const state = textOf(body, 'state') ?? ''
  return (
    (completed !== '' && !completed.startsWith('0001')) || /^(completed|cancelled)$/i.test(state)
  )
}

function runMsOf({ body }: Seen): number | undefined {
  const [from, to] = ['createdDateTime', 'completedDateTime'].map(name =>
    Date.parse(textOf(body, name) ?? ''),
  )
  const ms = Math.round((to ?? NaN) - (from ?? NaN))
  return ms >= 0 && ms <= 86_400_000 ? ms : undefined
}

/**
 * Creates an evaluation and follows it to its end, and the list until it is there. `undefined` when
 * no more may be spent.
 */
export async function run(survey: Survey, evaluations: string): Promise<RunSeen | undefined> {
  const { call, clock, signal, budget } = survey
  if (budget.left <= 0) return undefined
  budget.left -= 1
  const created = await call('createEvaluation', evaluations, {}, { repeat: false })
  const start = clock.monotonic()
  const id = idOf(created)
  const states = [{ state: wordOf(textOf(created.body, 'state')), afterMs: 0 }]
  let form: 'collection' | 'entity' | undefined
  let listedAtMs: number | undefined
  let last = created

  async function lookAtList(at: number): Promise<void> {
    const { status, body } = await call('listEvaluations', evaluations)
    const listed = status === 200 && itemsOf(body).some(item => textOf(item, 'id') === id)
    if (!listed) return
    form = Array.isArray((body as { value?: unknown }).value) ? 'collection' : 'entity'
    listedAtMs = at
  }

  async function lookAtEvaluation(at: number): Promise<void> {
    last = await call('getEvaluation', `${evaluations}/${id}`)
    const state = wordOf(textOf(last.body, 'state'))
    if (last.status === 200 && state !== states.at(-1)?.state && states.length < 50)
      states.push({ state, afterMs: at })
  }

  for (let look = 0; !signal.aborted; look += 1) {
    const at = listLooksMs[look] ?? 7500 + (look - 4) * everyMs
    const listing = listedAtMs === undefined && at <= 7500
    if (id === undefined || (hasEnded(last) && !listing) || at > patienceMs) break
    await clock.sleep(Math.max(0, start + at - clock.monotonic()), signal)
    if (!hasEnded(last)) await lookAtEvaluation(at)
    if (listing) await lookAtList(at)
    if (last.status >= 400 && last.status < 500 && !listing) break
  }

  const ended = hasEnded(last)
  const runMs = runMsOf(last)
  return {
    created,
    evaluation: {
      states,
      ended,
      ...(ended && { resultType: resultTypeOf(last) }),
      ...(ended && runMs !== undefined && { runMs }),
    },
    listing: { ...(form && { form }), ...(listedAtMs !== undefined && { listedAtMs }) },
  }
}

import type { Reply, Send } from './api-calls.ts'
import { at, field, make } from './elements.ts'
import { poll } from './poll.ts'
import { showIds, showProblem, showState } from './run-view.ts'

interface Book {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly inputs: readonly { name: string; description: string; required: boolean }[]
}

interface Step {
  readonly promptContent: string
  readonly evaluationResultType: string
  readonly evaluationResultContent: string
}

let books: readonly Book[] = []

/** Asks for the inputs of the promptbook that is chosen. */
export function showBook(): void {
  const book = books.find(({ id }) => id === field('book').value)
  at('book-about').textContent = book?.description ?? ''
  const inputs = (book?.inputs ?? []).map(({ name, description, required }) =>
    make(
      'label',
      {},
      required ? name : `${name} (optional)`,
      make('input', { name, required, placeholder: description }),
    ),
  )
  at('inputs').replaceChildren(...inputs)
}

/** Offers the promptbooks, where there are any. */
export async function showBooks(send: Send): Promise<void> {
  const { status, body } = await send('GET', '/promptbooks', { accept: [404] })
  books = status === 404 ? [] : (body['value'] as readonly Book[])
  at('kind').hidden = books.length === 0
  at('book').replaceChildren(...books.map(({ id, name }) => make('option', { value: id }, name)))
  showBook()
}

/** The run so far; whether it is over. */
function showRun({ body }: Reply): boolean {
  const state = String(body['promptbookState'])
  const steps = (body['evaluationResults'] ?? []) as readonly Step[]
  showIds({ sessionId: body['sessionId'], promptId: body['promptId'] })
  const running = state === 'Running'
  const mood = state === 'Completed' ? 'good' : 'bad'
  showState(state, running ? '' : mood, running ? `: prompt ${steps.length}` : '')
  const shown = at('steps').children
  steps.forEach((step, place) => {
    const { promptContent, evaluationResultType: type, evaluationResultContent } = step
    const told = running && type === 'Unknown' ? 'runs …' : type
    const summary = make('summary', {}, promptContent, make('small', {}, ` ${told}`))
    const answer = make('pre', {}, evaluationResultContent || 'There is no answer yet.')
    const details = shown[place]?.querySelector('details')
    if (details) details.replaceChildren(summary, answer)
    else at('steps').append(make('li', {}, make('details', {}, summary, answer)))
  })
  const errors = (body['errors'] ?? []) as readonly string[]
  if (errors.length > 0) showProblem(new Error(errors.join(' ')))
  return !running
}

/** Runs the promptbook that is chosen, and follows it to its end. */
export async function runPromptbook(send: Send, signal: AbortSignal): Promise<void> {
  const given = Array.from(at('inputs').querySelectorAll('input'), input => [
    input.name,
    input.value,
  ])
  const body = {
    PromptbookId: field('book').value,
    PromptbookInputs: Object.fromEntries(given.filter(([, value]) => value !== '')) as object,
  }
  const reply = await send('POST', '/run-promptbook', { prefer: 'respond-async', body, signal })
  const [path] = /\/promptbook-runs\/.+$/.exec(reply.location ?? '') ?? []
  if (showRun(reply) || path === undefined) return
  await poll(() => send('GET', path, { prefer: 'wait=1', signal }), showRun, signal)
}

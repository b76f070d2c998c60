import { createCalls, toCurl, type Call } from './api-calls.ts'
import { at, bar, copyButton, field, make, type Left } from './elements.ts'
import { runPrompt } from './watch-prompt.ts'
import { runPromptbook, showBook, showBooks } from './watch-promptbook.ts'
import { clearRun, showProblem, showState } from './run-view.ts'

const root = document.body.dataset['root'] ?? ''
const signIn = document.querySelector('#sign-in')
let token = ''
let watching = new AbortController()

/** Each call once, as it was made last, the newest first; ids are cut short in its heading. */
const shown = new Map<Call, HTMLElement>()
function showCall(call: Call): void {
  const times = call.times > 1 ? ` ×${call.times}` : ''
  const short = call.path.replaceAll(/([0-9a-f]{8})-[0-9a-f-]{27}/g, '$1…')
  const text = toCurl(location.origin, call, token !== '')
  const summary = make('summary', {}, make('code', {}, `${call.method} ${short}`))
  summary.append(make('small', {}, ` ${call.status}${times}`))
  const open = shown.get(call)?.querySelector('details')?.open ?? call.method === 'POST'
  shown.get(call)?.remove()
  const copy = copyButton(`the call of ${short}`, () => text)
  const item = make('li', {}, make('details', { open }, summary, make('pre', {}, text), copy))
  shown.set(call, item)
  at('calls').prepend(item)
}

const send = createCalls({ root, token: () => token, onCall: showCall })

async function showConnection(): Promise<void> {
  const { body } = await send('GET', '/connection')
  const { type, identityId, workspaceId } = body as Record<string, string>
  const plugins = (body['plugins'] as readonly string[]).join(', ')
  at('who').textContent = `${identityId} (${type}), workspace ${workspaceId}. Plugins: ${plugins}.`
  const budget = body['budget'] as Left | undefined
  at('bars').replaceChildren(
    bar('Calls', body['allowance'] as Left),
    ...(budget ? [bar('Evaluations', budget)] : []),
  )
}

const wantsBook = (): boolean => field('kind-book').checked

function showKind(): void {
  at('one-prompt').hidden = wantsBook()
  at('one-book').hidden = !wantsBook()
  field('prompt').disabled = wantsBook()
  for (const input of at('inputs').querySelectorAll('input')) input.disabled = !wantsBook()
}

/** Runs what is chosen. A run that is still watched makes way for it. */
async function run(): Promise<void> {
  watching.abort()
  watching = new AbortController()
  const { signal } = watching
  clearRun()
  showState('Sent')
  at('run-title').focus()
  try {
    await (wantsBook() ? runPromptbook(send, signal) : runPrompt(send, root, signal))
  } catch (error) {
    if (signal.aborted) return
    showProblem(error)
    showState('Stopped', 'bad')
  }
  await showConnection()
}

async function start(): Promise<void> {
  await Promise.all([showConnection(), showBooks(send)])
  showKind()
}

const ask = at('ask') as HTMLFormElement
ask.addEventListener('submit', event => {
  event.preventDefault()
  run().catch(showProblem)
})
ask.addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) ask.requestSubmit()
})
at('kind').addEventListener('change', showKind)
at('book').addEventListener('change', () => {
  showBook()
  showKind()
})
signIn?.addEventListener('submit', event => {
  event.preventDefault()
  token = field('token').value.trim()
  at('problem').hidden = true
  start().catch(showProblem)
})
if (!signIn) start().catch(showProblem)

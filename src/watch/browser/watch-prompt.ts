import type { Reply, Send } from './api-calls.ts'
import { at, field, make } from './elements.ts'
import { poll } from './poll.ts'
import { showIds, showState } from './run-view.ts'

let sessionId = ''

/** The evaluation so far; whether it ended. */
function showEvaluation({ body }: Reply): boolean {
  const state = String(body['evaluationState'])
  const type = String(body['evaluationResultType'])
  const { promptId, evaluationId } = body
  sessionId = String(body['sessionId'])
  showIds({ sessionId, promptId, evaluationId })
  const ended = state === 'Completed' || state === 'Cancelled'
  const mood = type === 'Success' ? 'good' : 'bad'
  showState(state, ended ? mood : '', ended ? `: ${type}` : '')
  return ended
}

/** The answer as HTML, in a frame that runs nothing. */
async function showAnswer(send: Send, root: string, path: string): Promise<void> {
  const { body } = await send('GET', `${path}/answer?as=html`)
  const content = (body['content'] as string | null) ?? '<p>There is no answer.</p>'
  const href = `${location.origin}${root}/watch/answer.css`
  const frame = at('answer') as HTMLIFrameElement
  frame.srcdoc = `<!doctype html>${make('link', { rel: 'stylesheet', href }).outerHTML}${content}`
  frame.hidden = false
}

/** Submits the prompt, follows it to its end and shows the answer. */
export async function runPrompt(send: Send, root: string, signal: AbortSignal): Promise<void> {
  const goOn = field('same-session').checked && sessionId !== ''
  const body = {
    PromptContent: field('prompt').value,
    ...(goOn && { SessionId: sessionId }),
  }
  const reply = await send('POST', '/process-prompt', { prefer: 'respond-async', body, signal })
  const ids = reply.body as Record<'sessionId' | 'promptId' | 'evaluationId', string>
  const path = `/sessions/${ids.sessionId}/prompts/${ids.promptId}/evaluations/${ids.evaluationId}`
  if (!showEvaluation(reply)) {
    await poll(() => send('GET', path, { signal }), showEvaluation, signal)
  }
  at('go-on').hidden = false
  await showAnswer(send, root, path)
}

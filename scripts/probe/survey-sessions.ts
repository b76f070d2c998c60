import { idOf, itemsOf, nothing, textOf, workspaces, type Survey } from './graph-survey.ts'
import { run, type RunSeen } from './survey-run.ts'

/** What is asked: as little as can be. */
const plain = { type: 'prompt', content: 'Reply with the single word ready.' }
const slash = { type: 'prompt', content: `/AskGpt ${plain.content}` }
const skill = { type: 'skill', content: plain.content, skillName: 'AskGpt' }
const letters = (length: number) => ({ type: 'prompt', content: 'a'.repeat(length) })

/** When a prompt that nobody evaluated is looked at. */
const unaskedMs = 7500

const sessionsOf = ({ workspace }: Survey): string => `${workspaces}/${workspace}/sessions`

interface Session {
  readonly name: string
  readonly path: string
}

/** Creates a session, told to the journal before and after. */
async function createSession(survey: Survey): Promise<Session | undefined> {
  const name = survey.journal.begin()
  const seen = await survey.call('createSession', sessionsOf(survey), { displayName: name })
  survey.journal.settle(seen.status)
  const id = idOf(seen)
  return id === undefined ? undefined : { name, path: `${sessionsOf(survey)}/${id}` }
}

/** The path of a new prompt's evaluations. */
async function createPrompt(
  { call }: Survey,
  session: string,
  body: object,
): Promise<string | undefined> {
  const id = idOf(await call('createPrompt', `${session}/prompts`, body))
  return id === undefined ? undefined : `${session}/prompts/${id}`
}

const endOf = ({ evaluation: { states, resultType } }: RunSeen) => ({
  state: states.at(-1)?.state ?? 'withheld',
  ...(resultType !== undefined && { resultType }),
})

/** Whether a prompt has a skill's name. */
async function isNamed({ call }: Survey, prompt: string): Promise<boolean | undefined> {
  const { status, body } = await call('getPrompt', prompt)
  return status === 200 ? Boolean(textOf(body, 'skillName')) : undefined
}

/** First session: the eight operations as they are meant; evaluations if there is a budget. */
async function surveyRuns(survey: Survey, { name, path: session }: Session): Promise<void> {
  const { call, notebook } = survey
  await call('getSession', session)
  await call('listSessions', sessionsOf(survey))
  await call('updateSession', session, { displayName: name })
  const prompt = await createPrompt(survey, session, plain)
  await call('listPrompts', `${session}/prompts`)
  if (prompt === undefined) return
  await call('getPrompt', prompt)
  await call('listEvaluations', `${prompt}/evaluations`)
  await survey.attempt('unknownPrompt', `${session}/prompts/${nothing()}`)
  await survey.attempt('unknownEvaluation', `${prompt}/evaluations/${nothing()}`)

  const first = await run(survey, `${prompt}/evaluations`)
  if (first && idOf(first.created) !== undefined) {
    const { listing, evaluation } = first
    const refused = notebook.status('listEvaluations') !== 200
    notebook.note({ evaluation, ...(!refused && { listing }) })
    const named = await isNamed(survey, prompt)
    if (named !== undefined) notebook.note({ skillNames: { plain: named } })
  }
}

/** First session again: a slash prefix, and a prompt evaluated a second time. */
async function surveyFurtherRuns(survey: Survey, { path: session }: Session): Promise<void> {
  const { call, notebook, budget } = survey
  if (budget.left <= 0) return
  const prompt = await createPrompt(survey, session, slash)
  if (prompt === undefined) return
  const third = await run(survey, `${prompt}/evaluations`)
  if (!third || idOf(third.created) === undefined) return
  const named = await isNamed(survey, prompt)
  const { skillNames } = notebook.noted()
  if (named !== undefined) notebook.note({ skillNames: { ...skillNames, slash: named } })
  if (budget.left <= 0) return
  budget.left -= 1
  await survey.attempt('secondEvaluation', `${prompt}/evaluations`, {})
  await call('listEvaluations', `${prompt}/evaluations`)
}

/** Second session: a prompt that nobody evaluates, and one after it. */
async function surveyUnrun(survey: Survey, { path: session }: Session): Promise<void> {
  const { call, clock, signal, notebook, budget } = survey
  const unrun = await createPrompt(survey, session, plain)
  if (unrun === undefined) return
  const createdAt = clock.monotonic()
  const next = budget.left > 0 ? await createPrompt(survey, session, plain) : undefined
  const second = next === undefined ? undefined : await run(survey, `${next}/evaluations`)
  await clock.sleep(Math.max(0, createdAt + unaskedMs - clock.monotonic()), signal)
  const { status, body } = await call('listEvaluations', `${unrun}/evaluations`)
  notebook.note({
    unrun: {
      ...(status === 200 && { ranUnasked: itemsOf(body).length > 0 }),
      ...(second && idOf(second.created) !== undefined && { next: endOf(second) }),
    },
  })
}

/** Second session again: what Graph refuses. Nothing of it is evaluated. */
async function surveyRefusals(survey: Survey, { path: session }: Session): Promise<void> {
  const { attempt, call, journal } = survey
  const prompts = `${session}/prompts`
  await attempt('unknownSession', `${sessionsOf(survey)}/${nothing()}`)
  await attempt('blankContent', prompts, { type: 'prompt', content: ' ' })
  await attempt('longContent', prompts, letters(100_000))
  await attempt('overlongContent', prompts, letters(1_000_000))
  await attempt('skillPrompt', prompts, skill)

  const name = journal.begin()
  const seen = await attempt('namelessSession', sessionsOf(survey), {})
  journal.settle(seen.status)
  const id = idOf(seen)
  // It exists now: it gets the name by which it can be found.
  if (id !== undefined)
    await call('updateSession', `${sessionsOf(survey)}/${id}`, { displayName: name })
}

/** Sessions, prompts and evaluations. Creates two sessions, three if one needs no name. */
export async function surveySessions(survey: Survey): Promise<void> {
  const first = await createSession(survey)
  if (first === undefined) return
  await surveyRuns(survey, first)
  const second = await createSession(survey)
  if (second === undefined) return
  await surveyUnrun(survey, second)
  await surveyFurtherRuns(survey, first)
  await surveyRefusals(survey, second)
}

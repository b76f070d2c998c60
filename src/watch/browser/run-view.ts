import { at, copyButton, make } from './elements.ts'

export type Mood = '' | 'good' | 'bad'

let began = 0

/** Empties the view for a new run. */
export function clearRun(): void {
  began = performance.now()
  for (const id of ['ids', 'states', 'steps']) at(id).replaceChildren()
  at('problem').hidden = true
  at('answer').hidden = true
  at('busy').hidden = false
}

/** Says the state, and when it was first seen. */
export function showState(state: string, mood: Mood = '', more = ''): void {
  const text = `${state}${more}`
  if (at('state').textContent === text) return
  at('state').textContent = text
  at('state').className = mood
  at('busy').hidden = mood !== ''
  if (at('states').lastElementChild?.firstChild?.textContent === state) return
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  at('states').append(make('li', { className: mood }, state, make('small', {}, ` ${seconds} s`)))
}

/** Says why something failed; a run that made way for another one did not. */
export function showProblem(error: unknown): void {
  if (error instanceof Error && error.name === 'AbortError') return
  at('problem').hidden = false
  at('problem').textContent = error instanceof Error ? error.message : String(error)
}

/** The ids of a run, each to copy. */
export function showIds(ids: Readonly<Record<string, unknown>>): void {
  const rows = Object.entries(ids).map(([name, id]) =>
    make(
      'div',
      {},
      make('dt', {}, name),
      make('dd', {}, make('code', {}, String(id))),
      make(
        'dd',
        {},
        copyButton(name, () => String(id)),
      ),
    ),
  )
  at('ids').replaceChildren(...rows)
}

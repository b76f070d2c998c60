import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import { nothing } from './graph-survey.ts'
import type { Ask, Seen } from './ask.ts'
import { outcomeOf, type Notebook } from './notebook.ts'

/**
 * Asks the service whether it lives, is ready, and gets through to Graph as this caller. Spends
 * nothing: it reads an evaluation that does not exist.
 */
export async function surveyService(
  ask: Ask,
  notebook: Notebook,
  caller: NonNullable<Facts['service']>['caller'],
): Promise<void> {
  const look = async (path: string) => {
    const seen: Seen = await ask({ method: 'GET', path })
    notebook.noteTrouble(seen)
    return outcomeOf(seen)
  }
  notebook.note({
    service: {
      caller,
      live: await look('/livez'),
      ready: await look('/readyz'),
      road: await look(
        `/sessions/${nothing()}/prompts/${nothing()}/evaluations/${nothing()}/operation`,
      ),
    },
  })
}

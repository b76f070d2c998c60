import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { writeWhole } from './write-whole.ts'

/** Sessions that were meant to be created, and whether they are there. */
const journalSchema = z.strictObject({
  sessions: z.array(
    z.strictObject({
      name: z.string().regex(/^probe \d{4}-\d\d-\d\d \d{1,6}$/),
      exists: z.enum(['perhaps', 'yes', 'no']),
    }),
  ),
})
type Entry = z.output<typeof journalSchema>['sessions'][number]

/** Older entries than so many are dropped. */
const maxEntries = 1000

export interface SessionJournal {
  /** The names that the next sessions will get. */
  next(count: number): readonly string[]
  /** The name of the next session, written down before it is created. */
  begin(): string
  /** How the creation of that session ended: only a refusal says that it does not exist. */
  settle(status: number): void
  /** Names of all that this run created, or perhaps did. */
  names(): readonly string[]
}

/** What earlier runs wrote; nothing, if the file is not there or not ours. */
function earlierEntries(path: string): Entry[] {
  try {
    return journalSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).sessions.slice(-maxEntries)
  } catch {
    return []
  }
}

/**
 * Says at any time which sessions exist, in a file that is always whole. Names only: they are how a
 * person finds the sessions in Security Copilot. `day` is `2026-11-25`; the numbers go on from run
 * to run.
 */
export function createSessionJournal(path: string, day: string): SessionJournal {
  const earlier = earlierEntries(path)
  const entries: Entry[] = []
  const prefix = `probe ${day} `
  const first =
    1 +
    Math.max(
      0,
      ...earlier
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ name }) => Number(name.slice(prefix.length))),
    )
  const nameOf = (place: number): string => `${prefix}${first + place}`
  const write = () =>
    writeWhole(path, `${JSON.stringify({ sessions: [...earlier, ...entries] }, undefined, 2)}\n`)

  return {
    next: count => Array.from({ length: count }, (_, place) => nameOf(entries.length + place)),
    begin() {
      const name = nameOf(entries.length)
      entries.push({ name, exists: 'perhaps' })
      write()
      return name
    },
    settle(status) {
      const entry = entries.at(-1)
      const refused = status >= 400 && status < 500
      const created = status >= 200 && status < 300
      if (entry) entry.exists = refused ? 'no' : created ? 'yes' : 'perhaps'
      write()
    },
    names: () => entries.filter(({ exists }) => exists !== 'no').map(({ name }) => name),
  }
}

import { writeWhole } from './write-whole.ts'

/** A session that the probe meant to create, and whether it is there. */
interface Entry {
  readonly name: string
  exists: 'perhaps' | 'yes' | 'no'
}

export interface SessionJournal {
  /** The name of the next session, written down before it is created. */
  begin(): string
  /** How the creation of the session that was begun ended; only a refusal says it does not exist. */
  settle(status: number): void
  /** The name of the last one. */
  last(): string
  /** Names of all that exist, or perhaps do. */
  names(): readonly string[]
}

/**
 * Says at any time which sessions exist, in a file that is always whole. Names only: they are how a
 * person finds the sessions in Security Copilot. `day` is `2026-11-25`.
 */
export function createSessionJournal(path: string, day: string): SessionJournal {
  const entries: Entry[] = []
  const write = () => writeWhole(path, `${JSON.stringify({ sessions: entries }, undefined, 2)}\n`)
  write()
  return {
    begin() {
      const name = `probe ${day} ${entries.length + 1}`
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
    last: () => entries.at(-1)?.name ?? '',
    names: () => entries.filter(({ exists }) => exists !== 'no').map(({ name }) => name),
  }
}

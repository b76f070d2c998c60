import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../src/lib/clock.ts'
import { planOf } from './plan.ts'
import { probe } from './probe.ts'
import { readCommand, usage, UsageError } from './probe-options.ts'
import { render } from './render.ts'
import { createSessionJournal, type SessionJournal } from './session-journal.ts'
import { wayOut } from './way-out.ts'
import { writeWhole } from './write-whole.ts'

export interface CommandOptions {
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly isTerminal: boolean
  /** Asks a person; resolves to what was typed. */
  prompt(question: string): Promise<string>
  readStdin(): string
  print(text: string): void
}

const sayWhichExist = (journal: SessionJournal): string =>
  journal.names().length === 0
    ? 'No session was created.'
    : `Sessions that exist: ${journal.names().join(', ')}.`

/** `npm run probe`. Resolves to the exit code: 0 written, 1 stopped, 2 not started. */
export async function runCommand(options: CommandOptions): Promise<number> {
  const { args, env, clock, signal, isTerminal, prompt, print, readStdin } = options
  try {
    const command = readCommand(args, env, readStdin)
    const day = new Date(clock.now()).toISOString().slice(0, 10)
    const journal = createSessionJournal(join(command.out, 'probe-sessions.json'), day)
    print(planOf(command, journal.next(3)))
    if (!command.yes) {
      if (!isTerminal) throw new UsageError('Cannot ask: there is no terminal. Add --yes to go on')
      if (!/^y(es)?$/i.test((await prompt('Go on? (yes/no) ')).trim())) return 2
    }
    mkdirSync(command.out, { recursive: true })
    const report = await probe({ ...command, clock, signal, journal, say: print })
    print(sayWhichExist(journal))
    if (signal.aborted) {
      print('Stopped: no report was written.')
      return 1
    }
    writeWhole(join(command.out, 'probe-report.json'), `${JSON.stringify(report, undefined, 2)}\n`)
    writeWhole(join(command.out, 'probe-report.md'), render(report))
    const different = report.rows.filter(({ so }) => so === 'differs').map(({ key }) => key)
    print(`Otherwise than assumed: ${different.join(', ') || 'nothing'}.`)
    for (const advice of report.advice) print(`! ${wayOut(advice, report.facts)}`)
    print(`Written: ${join(command.out, 'probe-report.md')} and probe-report.json.`)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    print(`${error.message}\n\n${usage}`)
    return 2
  }
}

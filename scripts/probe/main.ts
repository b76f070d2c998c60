import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { runCommand } from './command.ts'

// `npm run probe`: settles against a tenant what nobody here could look at. docs/probe.md
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

process.exitCode = await runCommand({
  args: process.argv.slice(2),
  env: process.env,
  clock,
  signal: stop.signal,
  isTerminal: process.stdin.isTTY && process.stdout.isTTY,
  readStdin: () => readFileSync(0, 'utf8'),
  print: text => console.log(text),
  async prompt(question) {
    const terminal = createInterface({ input: process.stdin, output: process.stdout })
    try {
      return await terminal.question(question, { signal: stop.signal }).catch(() => '')
    } finally {
      terminal.close()
    }
  },
})

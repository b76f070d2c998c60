import { readFileSync } from 'node:fs'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { askPerson } from './ask-person.ts'
import { runCommand } from './command.ts'

// `npm run probe`: settles against a tenant what nobody here could look at. docs/probe.md
const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

const { stdin: input, stdout: output, argv, env } = process
process.exitCode = await runCommand({
  args: argv.slice(2),
  env,
  clock,
  signal: stop.signal,
  isTerminal: input.isTTY && output.isTTY,
  readStdin: () => readFileSync(0, 'utf8'),
  print: text => console.log(text),
  prompt: question => askPerson(question, { input, output }, stop.signal),
})

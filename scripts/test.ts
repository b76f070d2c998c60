import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// `npm test`: runs tap on every test file, or on those named. Shows a line a file, every failure
// whole, the coverage that is missing, and closes with one line that counts the assertions.
const named = process.argv.slice(2)
// Some of the files alone cannot cover every line.
const coverage = named.length > 0 ? ['--disable-coverage'] : []
const tap = spawn('tap', ['--reporter=tap', ...coverage, ...named], {
  stdio: ['inherit', 'pipe', 'inherit'],
})
const closed = once(tap, 'close')

let inTests = true
let inFailure = false
let counts = '0 passed, 0 failed'
for await (const line of createInterface(tap.stdout)) {
  const total = /^# \{ total: \d+(?:, pass: (\d+))?(?:, fail: (\d+))?/.exec(line)
  if (total) counts = `${total[1] ?? 0} passed, ${total[2] ?? 0} failed`
  // A failure is a line "not ok" and the indented block after it, which a line "..." ends.
  if (/^\s*not ok/.test(line)) inFailure = true
  // What follows the results, at the left edge, is the coverage report.
  if (/^(# \{|-+\|)/.test(line)) inTests = false
  if (inFailure || !inTests || line.startsWith('ok')) console.log(line)
  if (/^\s*\.\.\.$/.test(line)) inFailure = false
}
const [status] = (await closed) as [number | null]
console.log(counts)
process.exit(status ?? 1)

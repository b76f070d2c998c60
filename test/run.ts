import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'

// `npm test`: runs tap on every test file, or on those named, and closes with one line that counts the assertions.
const output = '.tap/all.tap'
mkdirSync('.tap', { recursive: true })
const { status } = spawnSync('tap', ['--reporter=tap', `--output-file=${output}`, ...process.argv.slice(2)], {
  stdio: 'inherit',
})
const counts = /^# \{ total: \d+, pass: (\d+)(?:, fail: (\d+))?/m.exec(readFileSync(output, 'utf8'))
console.log(`${counts?.[1] ?? 0} passed, ${counts?.[2] ?? 0} failed`)
process.exit(status ?? 1)

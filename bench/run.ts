import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { barChart } from './lib/chart.ts'
import { stopAll } from './lib/process.ts'
import { writeReport, type Section } from './lib/report.ts'
import { fetchSection } from './sections/fetch.ts'
import { footprintSection } from './sections/footprint.ts'
import { growthSection } from './sections/growth.ts'
import { holdsSection } from './sections/holds.ts'
import { limitersSection } from './sections/limiters.ts'
import { refusalsSection } from './sections/refusals.ts'
import { soakSection } from './sections/soak.ts'
import { submitSection } from './sections/submit.ts'

// `npm run bench`: every section, or those named. Writes docs/performance.md, its numbers as JSON
// and one chart beside it; sections that were not run keep what they had.
const sections: Readonly<Record<string, () => Promise<Section>>> = {
  fetch: fetchSection,
  submit: submitSection,
  holds: holdsSection,
  refusals: refusalsSection,
  limiters: limitersSection,
  growth: growthSection,
  footprint: footprintSection,
  soak: soakSection,
}
const numbers = 'docs/performance.json'

const wanted = process.argv.slice(2)
const results = (existsSync(numbers) ? JSON.parse(readFileSync(numbers, 'utf8')) : {}) as Record<
  string,
  Section
>
for (const [name, run] of Object.entries(sections)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  results[name] = { ...(await run()), measured: new Date().toISOString().slice(0, 10) }
  writeFileSync(numbers, `${JSON.stringify(results, undefined, 2)}\n`)
}
await stopAll()

const ordered = Object.keys(sections).flatMap(name => results[name] ?? [])
const report = writeReport(ordered)
const notes = readFileSync('bench/notes.md', 'utf8')
writeFileSync('docs/performance.md', `${report}\n${notes}`)
const [table] = results['fetch']?.tables ?? []
if (table) {
  const bars = table.rows.map(([name, cpu]) => ({
    name: String(name),
    value: Number.parseFloat(String(cpu)),
  }))
  writeFileSync('docs/performance.svg', barChart(table.title, 'µs', bars))
}
console.log(report)

import type { Row } from './row-rule.ts'
import { rowsOf } from './rows.ts'
import type { Report } from './report.ts'
import { wayOut } from './way-out.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|')

const line = ({ key, question, assumed, seen, so, means, setting }: Row): string =>
  `| \`${key}\` | ${[question, assumed ?? '-', seen, so, means].map(cell).join(' | ')} | ` +
  `${setting === undefined ? '-' : `\`${setting}\``} |`

const table = (rows: readonly Row[]): string[] =>
  rows.length === 0
    ? ['None.']
    : [
        '| Row | Question | Assumed | Seen | So | What it means here | Option of the simulator |',
        '| --- | --- | --- | --- | --- | --- | --- |',
        ...rows.map(line),
      ]

/** The page for people. Pure, but for docs/errors.md, which it reads. */
export function render({ facts, date, evaluations, advice }: Report): string {
  const rows = rowsOf(facts)
  const of = (so: Row['so']) => rows.filter(row => row.so === so)
  const lines = [
    '# Probe of a tenant',
    '',
    `${date}, ${evaluations} evaluations. Types, names of members, times and status codes only: no`,
    'prompt, answer, token, id or name. Read it before you pass it on.',
    '',
    '## What to mend first',
    '',
    ...(advice.length === 0 ? ['Nothing.'] : advice.map(name => `- ${wayOut(name, facts)}`)),
    ...(['differs', 'as assumed', 'noted'] as const).flatMap(so => [
      '',
      `## ${{ differs: 'Otherwise than assumed', 'as assumed': 'As assumed', noted: 'Noted' }[so]}`,
      '',
      ...table(of(so)),
    ]),
    '',
    '## Not seen',
    '',
    of('not seen')
      .map(({ key }) => `\`${key}\``)
      .join(', ') || 'Nothing.',
    '',
    'With `SIMULATOR_FACTS=probe-report.json` the simulator behaves as this tenant did.',
    '',
  ]
  return lines.join('\n')
}

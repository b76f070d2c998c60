import { cpus } from 'node:os'
import type { Spread } from './statistics.ts'

/** A table of the report. */
export interface Table {
  readonly title: string
  /** What was done, in a sentence or two. */
  readonly how: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** An aim, and whether it was met. */
export interface Aim {
  readonly name: string
  readonly aim: string
  readonly measured: string
  readonly met: boolean
}

export interface Section {
  readonly tables: readonly Table[]
  readonly aims: readonly Aim[]
  /** The day. */
  readonly measured?: string
}

export const micros = (value: number): string => value.toFixed(0)
export const shownSpread = ({ median, lowest, highest }: Spread, digits = 0): string =>
  `${median.toFixed(digits)} (${lowest.toFixed(digits)} to ${highest.toFixed(digits)})`

const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`

const tableOf = (columns: readonly string[], rows: Table['rows']): string =>
  [line(columns), line(columns.map(() => '---')), ...rows.map(line), ''].join('\n')

/** The whole report, in Markdown. */
export function writeReport(sections: readonly Section[]): string {
  const aims = sections.flatMap(section => section.aims)
  const days = [...new Set(sections.map(({ measured }) => measured))].join(', ')
  return [
    '# Performance',
    '',
    `\`npm run bench\`, ${days}: Node ${process.versions.node}, 2 cores of an ${cpus()[0]?.model.trim()}. Compare what stands in one table: it was measured side by side in one run.`,
    'The measured process has one core to itself, Graph’s simulator and the load share the other. Other work on the machine shows as spread.',
    '',
    '## Aims',
    '',
    tableOf(
      ['What', 'Aim', 'Measured', ''],
      aims.map(({ name, aim, measured, met }) => [name, aim, measured, met ? 'met' : '**missed**']),
    ),
    '![CPU of a Fetch](performance.svg)',
    '',
    ...sections.flatMap(({ tables }) =>
      tables.map(
        ({ title, how, columns, rows }) => `## ${title}\n\n${how}\n\n${tableOf(columns, rows)}`,
      ),
    ),
  ].join('\n')
}

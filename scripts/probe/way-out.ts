import { readFileSync } from 'node:fs'
import { catalogue } from '../../src/errors.ts'
import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import { remedies, type Advice } from './doctor.ts'

const errors = new URL('../../docs/errors.md', import.meta.url)

/** What docs/errors.md tells to do about a code of the service, or where to read. */
function documented(code: string): string {
  if (!Object.hasOwn(catalogue, code)) return 'It may not be this service: check its URL.'
  const text = readFileSync(errors, 'utf8')
  const [, section = ''] = text.split(`## \`${code}\`\n`)
  const [own = ''] = section.split('\n## ')
  const todo = /^What to do: (.+)$/m.exec(own)?.[1]
  return todo ?? `See docs/errors.md#${code.toLowerCase()}.`
}

/** An advice in words, with what the facts add to it. */
export function wayOut(advice: Advice, { skewSeconds, service }: Facts): string {
  const { status, code } = service?.road ?? { status: 0 }
  const text = remedies[advice]
    .replace('{skewSeconds}', String(skewSeconds))
    .replace('{serviceCode}', `${status} ${code ?? 'without a code'}`)
  return advice === 'serviceRoad' ? text + documented(code ?? '') : text
}

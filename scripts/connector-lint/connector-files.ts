import { readFileSync } from 'node:fs'
import { agreementRules } from './agreement-rules.ts'
import { definitionRules } from './definition-rules.ts'
import { propertiesRules } from './properties-rules.ts'
import { referenceRules } from './reference-rules.ts'
import type { Json } from './rule.ts'

/** The files that make a connector. */
export interface ConnectorFiles {
  readonly definition: Json
  readonly properties: Json
  readonly icon: Buffer
}

const read = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'))

/** Reads them from this folder, as the command lines of the platform do. */
export const readConnectorFiles = (): ConnectorFiles => ({
  definition: read('apiDefinition.swagger.json'),
  properties: read('apiProperties.json'),
  icon: readFileSync('icon.png'),
})

/** Every breach of a rule, as a line. */
export function lintConnector(files: ConnectorFiles): string[] {
  const subjects = [
    [definitionRules, files.definition],
    [referenceRules, files.definition],
    [propertiesRules, files.properties],
    [agreementRules, files],
  ] as const
  return subjects.flatMap(([rules, subject]) =>
    rules.flatMap(({ name, check }) => check(subject).map(where => `${where}: ${name}`)),
  )
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

// Writes the TypeScript below the first folder as JavaScript below the second: `node deploy/strip-types.ts src dist`. Node does the same when it
// starts from src, but then carries its stripper along, some 25 MB. Lines and columns stay where they are.
const [from = '', to = ''] = process.argv.slice(2)
for (const path of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.ts')) continue
  const target = join(to, path.replace(/\.ts$/, '.js'))
  const code = stripTypeScriptTypes(readFileSync(join(from, path), 'utf8'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, code.replaceAll(/((?:from|import) ?\(?'\.[^']*)\.ts'/g, "$1.js'"))
}

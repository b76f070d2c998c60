import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// `npm run sbom`: the production dependencies as CycloneDX, from an installation of nothing else.
// (`npm sbom --omit dev` in this folder leaves out what a development tool needs as well.)
const directory = mkdtempSync(join(tmpdir(), 'sbom-'))
for (const name of ['package.json', 'package-lock.json', '.npmrc'])
  cpSync(name, join(directory, name))
const npm = (...args: string[]): string =>
  execFileSync('npm', args, { cwd: directory, encoding: 'utf8', maxBuffer: 100_000_000 })

npm('ci', '--omit=dev', '--omit=optional', '--ignore-scripts')
const { devDependencies, optionalDependencies, ...production } = JSON.parse(
  readFileSync('package.json', 'utf8'),
)
writeFileSync(join(directory, 'package.json'), JSON.stringify(production))
process.stdout.write(npm('sbom', '--sbom-format', 'cyclonedx'))
rmSync(directory, { recursive: true })

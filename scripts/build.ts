import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

// `npm run build`: writes the TypeScript of src as JavaScript in dist. Node does the same when it
// starts from src, but then carries its type stripper along, some 25 MB. No compiler is needed, so
// this works after `npm ci --omit=dev` too.

/**
 * A specifier of a module of our own, with how it is imported before it: static, re-exported or
 * dynamic.
 */
const relativeImport = /((?:\bfrom|\bimport)\s*\(?\s*)(['"`])(\.{1,2}\/[^'"`]*)\2/g

/**
 * The JavaScript of a TypeScript module; lines and columns stay where they are, so no source map is
 * needed. Pure.
 * @throws Error naming the module, for an import that cannot be rewritten: one that is put together
 *   at run time.
 */
export function toJavaScript(path: string, source: string): string {
  const code = stripTypeScriptTypes(source).replaceAll(
    relativeImport,
    (_match, how: string, quote: string, specifier: string) =>
      `${how}${quote}${specifier.replace(/\.ts$/, '.js')}${quote}`,
  )
  // A dynamic import must be of one plain string.
  const left = /\bimport\s*\((?!\s*(['"])[^'"]*\1\s*[,)]).*/.exec(code)
  if (left) throw new Error(`Cannot build ${path}: its import cannot be rewritten: ${left[0]}`)
  return code
}

/** What is not built: it is for trying and testing. */
const leftOut = /^sandbox[/\\]/

/**
 * Writes a file whole, unless it is so already: who starts from the folder meanwhile never meets
 * half of it.
 */
function writeWhole(path: string, text: string): void {
  try {
    if (readFileSync(path, 'utf8') === text) return
  } catch {
    // It is not there yet.
  }
  mkdirSync(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}.part`
  writeFileSync(part, text)
  renameSync(part, path)
}

/**
 * Builds a folder of TypeScript into another one and takes out what no module of it makes. Nothing
 * is written when nothing changed, so that a finished build may lie on a file system that is
 * read-only.
 * @throws Error as toJavaScript() does, before anything is written.
 */
export function build(from: string, to: string): void {
  const modules = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !leftOut.test(path))
    .map(
      path =>
        [
          path.replace(/\.ts$/, '.js'),
          toJavaScript(path, readFileSync(join(from, path), 'utf8')),
        ] as const,
    )
  mkdirSync(to, { recursive: true })
  for (const [path, code] of modules) writeWhole(join(to, path), code)
  const made = new Set(modules.map(([path]) => path))
  for (const path of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('.js') && !made.has(path)) rmSync(join(to, path), { force: true })
  }
}

if (import.meta.main) build('src', 'dist')

import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { sameNameKey, type Promptbook } from './book.ts'
import { readDocument } from './promptbook-document.ts'

/** Promptbooks cannot be read: the message names each file, line and way out. */
export class PromptbookError extends Error {
  override readonly name = 'PromptbookError'
  /** One line each: `incident.yaml:12: prompts[2] has no content: give it text`. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['Cannot read the promptbooks:', ...problems].join('\n  '))
    this.problems = problems
  }
}

const endings = new Set(['.yaml', '.yml', '.json'])
const maxFiles = 500
const maxBytes = 1024 * 1024
/** Problems told of one file. */
const maxProblems = 20

/** A promptbook that was read, and where it says what it is called. */
interface Found {
  readonly file: string
  readonly book: Promptbook
  readonly idLine: number
  readonly nameLine: number
}

/** A file's name on one line. */
const shown = (file: string): string => (/\p{Cc}/u.test(file) ? JSON.stringify(file) : file)

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown'

/** A file's text, undefined for what is no file; links are followed, as Kubernetes mounts them. */
async function readText(path: string): Promise<string | undefined> {
  const found = await stat(path)
  if (found.isDirectory()) return undefined
  if (!found.isFile()) throw new Error('is no regular file: put a file in its place')
  if (found.size > maxBytes) throw new Error('is over 1 MiB: make it smaller')
  const bytes = await readFile(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('is not UTF-8: save it as UTF-8')
  }
}

/** Reads one file, and adds what is wrong with it to `problems`. */
async function readOne(
  folder: string,
  file: string,
  problems: string[],
): Promise<Found | undefined> {
  let text: string | undefined
  try {
    text = await readText(join(folder, file))
  } catch (error) {
    const why =
      error instanceof Error && !('code' in error)
        ? error.message
        : `cannot be read (${codeOf(error)}): see its owner and mode`
    problems.push(`${shown(file)}:1: ${why}`)
    return undefined
  }
  if (text === undefined) return undefined
  const read = readDocument(text, file.slice(0, -extname(file).length))
  if ('book' in read) return { file, ...read }
  const lines = read.problems.map(({ line, message }) => `${shown(file)}:${line}: ${message}`)
  problems.push(...lines.slice(0, maxProblems))
  if (lines.length > maxProblems)
    problems.push(`${shown(file)}: has ${lines.length - maxProblems} more problems`)
  return undefined
}

/** Ids and names that are another promptbook's id or name, without regard to case. */
function duplicates(found: readonly Found[]): string[] {
  const owners = new Map<string, Found>()
  return found.flatMap(one => {
    const { file, book, idLine, nameLine } = one
    const said = [
      { what: 'id', text: book.id, line: idLine },
      { what: 'name', text: book.name, line: nameLine },
    ]
    return said.flatMap(({ what, text, line }) => {
      const owner = owners.get(sameNameKey(text)) ?? one
      owners.set(sameNameKey(text), owner)
      if (owner === one) return []
      return [
        `${shown(file)}:${line}: its ${what} is an id or name in ${shown(owner.file)} too: change one of them`,
      ]
    })
  })
}

/**
 * Reads every promptbook of a folder: each file that ends in `.yaml`, `.yml` or `.json` and does
 * not begin with a dot, in the order of the files' names; not of folders in it.
 * @throws PromptbookError naming all that is wrong with all files, or with the folder.
 */
export async function readPromptbooks(folder: string): Promise<readonly Promptbook[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new PromptbookError([
      `the folder cannot be read (${codeOf(error)}): see PROMPTBOOKS_PATH`,
    ])
  })
  const files = names
    .filter(name => !name.startsWith('.') && endings.has(extname(name).toLowerCase()))
    .toSorted()
  if (files.length > maxFiles) {
    throw new PromptbookError([
      `the folder has ${files.length} files: at most ${maxFiles} promptbooks are read`,
    ])
  }
  const problems: string[] = []
  const found: Found[] = []
  for (const file of files) {
    const one = await readOne(folder, file, problems)
    if (one) found.push(one)
  }
  problems.push(...duplicates(found))
  if (problems.length > 0) throw new PromptbookError(problems)
  return Object.freeze(found.map(({ book }) => book))
}

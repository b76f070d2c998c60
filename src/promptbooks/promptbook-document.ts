import {
  sameNameKey,
  type Promptbook,
  type PromptbookInput,
  type PromptbookPrompt,
} from './book.ts'
import { problemsOf, shown, where, type FileProblem } from './file-problems.ts'
import { namesIn } from './placeholders.ts'
import { promptbookFile, type PromptbookFile } from './promptbook-schema.ts'
import { readYaml } from './yaml-document.ts'

/** A promptbook with the lines of its id and name, or what is wrong with its file. */
export type ReadDocument =
  | { readonly book: Promptbook; readonly idLine: number; readonly nameLine: number }
  | { readonly problems: readonly { readonly line: number; readonly message: string }[] }

const toPrompt = (prompt: PromptbookFile['prompts'][number]): PromptbookPrompt => {
  if (typeof prompt === 'string') return { content: prompt }
  const { content, skill, inputs } = prompt
  return {
    content,
    ...(skill !== undefined && { skillName: skill }),
    ...(inputs && { skillInputs: inputs }),
  }
}

const toInput = (input: NonNullable<PromptbookFile['inputs']>[number]): PromptbookInput => ({
  name: input.name,
  ...(input.description !== undefined && { description: input.description }),
  required: input.required && input.default === undefined,
  ...(input.default !== undefined && { default: String(input.default) }),
})

const toBook = (
  { id, name, description, inputs, prompts }: PromptbookFile,
  fileId: string,
): Promptbook => ({
  id: id ?? fileId,
  name,
  ...(description !== undefined && { description }),
  ...(inputs && { inputs: inputs.map(toInput) }),
  prompts: prompts.map(toPrompt),
})

/**
 * What a schema cannot say: inputs that are there twice, or for nothing; inputs without a skill.
 */
function crossProblems({ inputs = [], prompts }: PromptbookFile): FileProblem[] {
  const named = namesIn(prompts.map(toPrompt))
  const firsts = new Map<string, number>()
  const ofInputs = inputs.flatMap(({ name }, index): FileProblem[] => {
    const path = ['inputs', index, 'name']
    const key = sameNameKey(name)
    const first = firsts.get(key)
    if (first !== undefined) {
      const message = `${where(path)} is that of inputs[${first}] too: give each its own name`
      return [{ path, message }]
    }
    firsts.set(key, index)
    if (named.has(key)) return []
    const message = `${where(path)} stands in no prompt: write <${shown(name)}> where it belongs, or take it out`
    return [{ path, message }]
  })
  const ofPrompts = prompts.flatMap((prompt, index): FileProblem[] => {
    if (typeof prompt === 'string' || !prompt.inputs || prompt.skill !== undefined) return []
    const path = ['prompts', index, 'inputs']
    return [{ path, message: `${where(path)} has no skill to go to: give the prompt a skill` }]
  })
  return [...ofInputs, ...ofPrompts]
}

/** Reads the text of one promptbook, YAML or JSON; `fileId` is its id when it has none. Pure. */
export function readDocument(text: string, fileId: string): ReadDocument {
  const { value, problems, lineOf } = readYaml(text)
  if (problems.length > 0) return { problems }
  const lined = (found: readonly FileProblem[]): ReadDocument => ({
    problems: found.map(({ path, message }) => ({ line: lineOf(path), message })),
  })
  const parsed = promptbookFile.safeParse(value)
  if (!parsed.success) return lined(problemsOf(parsed.error.issues, value))
  const cross = crossProblems(parsed.data)
  if (cross.length > 0) return lined(cross)
  const book = toBook(parsed.data, fileId)
  return { book, idLine: lineOf(['id']), nameLine: lineOf(['name']) }
}

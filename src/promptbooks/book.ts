/** A value that a caller gives, or may give, for `<name>` in a promptbook's prompts. */
export interface PromptbookInput {
  readonly name: string
  readonly description?: string | undefined
  /** A caller must give it: the file says so, and there is no default that could stand in. */
  readonly required: boolean
  readonly default?: string | undefined
}

/** One prompt, as a file or a caller writes it or, once filled, as it is asked. */
export interface PromptbookPrompt {
  readonly content: string
  readonly skillName?: string | undefined
  readonly skillInputs?: Readonly<Record<string, string | number | boolean>> | undefined
}

/** Prompts that run in one session, in this order. */
export interface Promptbook {
  /** A GUID, or the name of its file without the ending. */
  readonly id: string
  readonly name: string
  readonly description?: string | undefined
  /** Absent when nothing is declared: then every `<name>` in the prompts may be given. */
  readonly inputs?: readonly PromptbookInput[] | undefined
  readonly prompts: readonly PromptbookPrompt[]
}

/** Ids, names of promptbooks and names of inputs are compared without regard to case. */
export const sameNameKey = (name: string): string => name.toLowerCase()

/** The promptbook of this id or name. Ids and names never meet: the files were checked. */
export function findPromptbook(
  books: readonly Promptbook[],
  idOrName: string,
): Promptbook | undefined {
  const key = sameNameKey(idOrName)
  return books.find(({ id, name }) => sameNameKey(id) === key || sameNameKey(name) === key)
}

const shown = /[^\s\u2800\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}]/u

/** Whether a text shows nothing: white space, control and invisible characters only. */
export const isBlank = (text: string): boolean => !shown.test(text)

/** A text without what shows nothing before it, and white space after it. */
export const trimBlank = (text: string): string =>
  text.slice(Math.max(0, text.search(shown))).trimEnd()

/**
 * Bounds that files and callers share; lengths in UTF-16 code units, as Graph's own are unknown.
 */
export const bounds = {
  /** Of a prompt, and of all that goes to Graph for it. */
  contentLength: 100_000,
  /** Of one value of an input, or of a skill's input. */
  valueLength: 20_000,
  /** Of a name, an id or a key. */
  nameLength: 128,
  prompts: 50,
  inputs: 50,
} as const

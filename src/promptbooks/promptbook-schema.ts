import { z } from 'zod'
import { bounds, isBlank } from './book.ts'

// A promptbook's file. Messages say what is wrong, a colon, and the way out; of a key that is not
// there, the way out only.

const must = (be: string, wayOut: string) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    input === undefined || input === null ? wayOut : `is not ${be}: ${wayOut}`,
})

const text = (maxLength: number) =>
  z
    .string(must('text', 'give it text'))
    .max(maxLength, `is too long: give it at most ${maxLength.toLocaleString('en')} characters`)
    .refine(value => value.isWellFormed(), 'has half of a surrogate pair: write the character')

const visible = (maxLength: number) =>
  text(maxLength)
    .min(1, { error: 'is empty: give it text', abort: true })
    .refine(value => !isBlank(value), 'is blank: give it text that can be seen')

/** Letters, digits, `_`, `.`, `-`, and single blanks inside. */
const word = z
  .string(must('a name', 'give it a name'))
  .max(bounds.nameLength, `is too long: give it at most ${bounds.nameLength} characters`)
  .regex(
    /^[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)*$/,
    'is not a name: use letters, digits, "_", "." and "-", with single blanks between',
  )

/** Numbers are read as they are written, so that a `007` stays one. */
const value = z.union(
  [text(bounds.valueLength), z.number(), z.boolean()],
  must('a value', 'give it text, a number, true or false'),
)

const input = z
  .strictObject(
    {
      name: word.meta({ description: 'Stands as <name> in the prompts, in either case.' }),
      description: text(1000)
        .optional()
        .meta({ description: 'What to give; the designer shows it.' }),
      required: z
        .boolean(must('true or false', 'give it true or false'))
        .default(true)
        .meta({ description: 'Whether it must be given; a default stands in for it.' }),
      default: value.optional().meta({ description: 'Stands in when it is not given.' }),
    },
    must('an input', 'give it a name'),
  )
  .meta({ description: 'A value for <name> in the prompts.' })

const content = visible(bounds.contentLength).meta({
  description: 'What to ask, in plain words; <name> stands for an input.',
})

const prompt = z.union(
  [
    content,
    z.strictObject({
      content,
      skill: word.optional().meta({ description: 'Skill to call by its name.' }),
      inputs: z
        .record(word, value, must('a mapping', 'give it names and values'))
        .refine(
          inputs => Object.keys(inputs).length <= bounds.inputs,
          `has too many values: give it at most ${bounds.inputs}`,
        )
        .optional()
        .meta({ description: 'Inputs of the skill; <name> stands for an input in their values.' }),
    }),
  ],
  must('a prompt', 'give it text, or content with a skill'),
)

/** A promptbook's file, as it is written. Unknown keys are refused. */
export const promptbookFile = z
  .strictObject(
    {
      $schema: z.string().optional().meta({ description: 'Address of this schema, for editors.' }),
      id: z
        .guid(must('a GUID', 'give it a GUID, or leave it out'))
        .optional()
        .meta({ description: 'A GUID; the name of the file without its ending when absent.' }),
      name: visible(bounds.nameLength)
        .regex(/^\S(?:.*\S)?$/, 'begins or ends with a blank, or has two lines: write it in one')
        .meta({ description: 'What the promptbook is called.' }),
      description: text(1000)
        .optional()
        .meta({ description: 'What it is for; the designer shows it.' }),
      inputs: z
        .array(input, must('a list', 'give it a list of inputs'))
        .max(bounds.inputs, `has too many inputs: give it at most ${bounds.inputs}`)
        .optional()
        .meta({
          description:
            'What a caller gives. When absent, every <name> in the prompts may be given.',
        }),
      prompts: z
        .array(prompt, must('a list', 'give it a list of prompts'))
        .min(1, 'is empty: give it a prompt')
        .max(bounds.prompts, `has too many prompts: give it at most ${bounds.prompts}`)
        .meta({ description: 'The prompts, asked one after the other in one session.' }),
    },
    must('a promptbook', 'give it a name and prompts'),
  )
  .meta({
    title: 'Promptbook',
    description: 'Prompts that run in one Security Copilot session, one after the other.',
  })

export type PromptbookFile = z.output<typeof promptbookFile>

/** The JSON schema of a file: what docs/promptbook.schema.json holds. */
export const promptbookJsonSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(promptbookFile, { target: 'draft-7', io: 'input' })

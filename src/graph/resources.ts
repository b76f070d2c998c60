import { z } from 'zod'

// What is read of Graph's responses, and no more:
// https://learn.microsoft.com/graph/api/resources/security-securitycopilot-session Graph may add
// properties and enum members at any time, so unknown ones are let through or left out.

const id = z.guid()

const dateTime = z.iso.datetime({ offset: true })

/** Text that Graph may leave out or send as null. */
const optionalText = z
  .string()
  .nullish()
  .transform(text => text ?? null)

/**
 * A member of one of Graph's enums, in camel case as its reference writes them; members of the
 * future pass.
 */
const member = z
  .string()
  .min(1)
  .transform(name => name.charAt(0).toLowerCase() + name.slice(1))

/** A result of nothing is none. */
const nothing = z
  .object({ content: z.null().optional(), type: z.null().optional() })
  .transform(() => null)

/** A session: the thread that prompts belong to. */
export const session = z.object({ id })

/** A prompt: what is asked. It has no state and no result; those live on its evaluations. */
export const prompt = z.object({
  id,
  createdDateTime: dateTime,
  content: z
    .string()
    .nullish()
    .transform(text => text ?? ''),
  skillName: optionalText,
})

/** One run of a prompt, with its result once it ended. */
export const evaluation = z.object({
  id,
  createdDateTime: dateTime,
  lastModifiedDateTime: dateTime,
  /** `0001-01-01T00:00:00Z` while it runs. */
  completedDateTime: dateTime.optional().catch(undefined),
  state: member,
  result: z
    .union([nothing, z.object({ content: optionalText, type: member })])
    .nullish()
    .transform(result => result ?? null),
})

/** A plugin: skills that are enabled or not for the whole workspace. Its key is `name`. */
export const plugin = z.object({
  name: z.string(),
  isEnabled: z.boolean(),
  displayName: optionalText,
  description: optionalText,
})

/** A page of a collection. The first item of a wrong shape ends the reading. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z
    .object({ value: z.array(z.unknown()), '@odata.nextLink': z.string().optional() })
    .transform(({ value, ...rest }, context): Page<z.output<Item>> => {
      const items: z.output<Item>[] = []
      for (const [at, one] of value.entries()) {
        const parsed = item.safeParse(one)
        if (!parsed.success) {
          context.addIssue({ code: 'custom', path: ['value', at], message: 'has a wrong shape' })
          return z.NEVER
        }
        items.push(parsed.data)
      }
      return { value: items, ...rest }
    })

/**
 * Evaluations come as a collection by the reference page's text, as one bare entity by its sample:
 * both are read.
 */
export const evaluationPage = z.union([
  page(evaluation),
  evaluation.transform(entity => ({ value: [entity], '@odata.nextLink': undefined })),
])

export type Session = z.output<typeof session>
export type Prompt = z.output<typeof prompt>
export type Evaluation = z.output<typeof evaluation>
export type Plugin = z.output<typeof plugin>
export type Page<Item> = { value: Item[]; '@odata.nextLink'?: string | undefined }

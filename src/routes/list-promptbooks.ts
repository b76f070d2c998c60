import type { ZodPlugin } from '../plugins/validation.ts'
import type { Promptbook } from '../promptbooks/book.ts'
import { inputSchema } from '../promptbooks/input-schema.ts'
import {
  getPromptbookInputsDescription,
  listPromptbooksDescription,
} from './promptbook-descriptions.ts'
import { requirePromptbook } from './post-promptbook-run.ts'
import {
  promptbookInputSchema,
  promptbookList,
  promptbookParams,
  type PromptbookList,
} from './schemas.ts'

const toListed = ({
  id,
  name,
  description = '',
  inputs = [],
}: Promptbook): PromptbookList['value'][number] => ({
  id,
  name,
  description,
  inputs: inputs.map(input => ({
    name: input.name,
    description: input.description ?? '',
    required: input.required,
  })),
})

/** The promptbooks of this service and what they take: what designers' pickers ask for. */
export const listPromptbooksRoutes: ZodPlugin<{
  readonly promptbooks: readonly Promptbook[]
}> = async (app, { promptbooks }) => {
  const list: PromptbookList = { value: promptbooks.map(toListed) }
  app.get(
    '/promptbooks',
    { schema: { operation: listPromptbooksDescription, response: { 200: promptbookList } } },
    async () => list,
  )

  app.get(
    '/promptbooks/:promptbookId/inputs',
    {
      schema: {
        operation: getPromptbookInputsDescription,
        params: promptbookParams,
        response: { 200: promptbookInputSchema },
      },
    },
    async ({ params }) => ({
      ...inputSchema(requirePromptbook(promptbooks, params.promptbookId)),
    }),
  )
}

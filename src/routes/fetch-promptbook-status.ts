import type { Copilot } from '../copilot/copilot.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { fetchPromptbookStatusDescription } from './descriptions.ts'
import { toPromptbookRunResult } from './result.ts'
import { promptbookRunResult, promptParams } from './schemas.ts'

/** Fetch promptbookprompt evaluation status: 200 whatever the state. */
export const fetchPromptbookStatusRoute: ZodPlugin<{ copilot: Copilot }> = async (
  app,
  { copilot },
) => {
  app.get(
    '/sessions/:sessionId/prompts/:promptId/promptbook',
    {
      schema: {
        operation: fetchPromptbookStatusDescription,
        params: promptParams,
        response: { 200: promptbookRunResult },
      },
    },
    async ({ graphContext, params }) =>
      toPromptbookRunResult(await copilot.promptbook(graphContext, params)),
  )
}

import type { Copilot } from '../copilot/copilot.ts'
import { fetchPromptbook } from '../copilot/promptbook.ts'
import type { ZodPlugin } from '../plugins/validation.ts'
import { toPromptbookRunResult } from './result.ts'
import { fetchPromptbookStatusOperation } from './descriptions.ts'
import { promptbookRunResult, promptParams } from './schemas.ts'

/** Fetch promptbook prompt evaluation status. */
export const promptbookRoute: ZodPlugin<{ copilot: Copilot }> = async (app, { copilot }) => {
  app.get(
    '/sessions/:sessionId/prompts/:promptId/promptbook',
    {
      schema: {
        operation: fetchPromptbookStatusOperation,
        params: promptParams,
        response: { 200: promptbookRunResult },
      },
    },
    async request =>
      toPromptbookRunResult(await fetchPromptbook(copilot, request.connection, request.params)),
  )
}

import type { ZodPlugin } from '../plugins/validation.ts'
import type { PollRoutes } from './poll-prompt.ts'
import { hold } from './hold.ts'
import {
  getPromptbookRunOperationDescription,
  getPromptbookRunResultDescription,
} from './promptbook-descriptions.ts'
import {
  askToWaitForRun,
  sendRunning,
  toPromptbookOperation,
  toPromptbookResult,
} from './promptbook-result.ts'
import { promptbookOperation, promptbookResult, runParams } from './schemas.ts'

/**
 * The two addresses that a caller who was answered 202 polls. A poll also drives the run on, if the
 * replica that did so is gone.
 */
export const pollPromptbookRunRoutes: ZodPlugin<PollRoutes> = async (
  app,
  { copilot, resultWaitSeconds, ...wire },
) => {
  app.get(
    '/promptbook-runs/:runId/result',
    {
      config: { errorsAtTop: true },
      schema: {
        operation: getPromptbookRunResultDescription,
        params: runParams,
        response: { 200: promptbookResult, 202: promptbookResult },
      },
    },
    async (request, reply) => {
      const { graphContext, params } = request
      const report = await hold(request, reply, resultWaitSeconds, patience =>
        copilot.promptbookRun(graphContext, params.runId, patience),
      )
      return report.status === 'Running'
        ? sendRunning(reply, report, wire)
        : toPromptbookResult(report)
    },
  )

  app.get(
    '/promptbook-runs/:runId/operation',
    {
      config: { errorsAtTop: true },
      schema: {
        operation: getPromptbookRunOperationDescription,
        params: runParams,
        response: { 200: promptbookOperation },
      },
    },
    async ({ graphContext, params }, reply) => {
      const report = await copilot.promptbookRun(graphContext, params.runId)
      if (report.status === 'Running') askToWaitForRun(reply, report, wire)
      return toPromptbookOperation(report)
    },
  )
}

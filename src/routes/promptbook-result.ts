import type { FastifyReply } from 'fastify'
import type { PromptbookReport } from '../copilot/promptbook-run.ts'
import { askToWaitSince, baseFor, type RunRoutes } from './accepted.ts'
import type { PromptbookOperation, PromptbookResult } from './schemas.ts'

const capitalised = (member: string): string => member.charAt(0).toUpperCase() + member.slice(1)

/** A promptbook run in the words that public workflows parse: no string is null. Pure. */
export const toPromptbookResult = ({
  sessionId,
  promptId,
  status,
  steps,
  errors,
}: PromptbookReport): PromptbookResult => ({
  sessionId,
  promptId,
  promptbookState: status,
  evaluationResults: steps.map(({ prompt, resultType, content }) => ({
    skillName: prompt.skillName ?? '',
    promptContent: prompt.content,
    evaluationResultType: capitalised(resultType),
    evaluationResultContent: content ?? '',
    // Graph has none.
    skillSources: [],
  })),
  errors: [...errors],
})

function outcome(
  report: PromptbookReport,
): Pick<PromptbookOperation, 'status' | 'result' | 'error'> {
  const { status, steps, errors } = report
  if (status === 'Running') return { status: steps.length === 0 ? 'NotStarted' : 'Running' }
  if (status === 'Cancelled') return { status: 'Canceled' }
  const result = toPromptbookResult(report)
  if (status === 'Completed') return { status: 'Succeeded', result }
  const type = capitalised(steps.at(-1)?.resultType ?? 'unknown')
  const code = type === 'Success' || type === 'Unknown' ? 'Failed' : type
  return { status: 'Failed', result, error: { code, message: errors.join('; ') } }
}

/** A promptbook run as the status of a long-running operation. Pure. */
export const toPromptbookOperation = (report: PromptbookReport): PromptbookOperation => ({
  id: report.runId,
  createdDateTime: new Date(report.createdAt).toISOString(),
  lastActionDateTime: new Date(report.changedAt).toISOString(),
  ...outcome(report),
})

/** What the routes of runs hand out. */
export type RunWire = Omit<RunRoutes, 'copilot'>

/** Asks the caller to wait as long as the step under way may still take. */
export const askToWaitForRun = (
  reply: FastifyReply,
  { changedAt }: PromptbookReport,
  wire: RunWire,
): void => askToWaitSince(reply, changedAt, wire)

/** 202: the run goes on. The body says how far it is, the headers where to hear the rest. */
export function sendRunning(
  reply: FastifyReply,
  report: PromptbookReport,
  wire: RunWire,
): FastifyReply {
  const url = `${baseFor(reply.request.headers, wire.publicUrl)}/promptbook-runs/${report.runId}`
  askToWaitForRun(reply, report, wire)
  return reply
    .code(202)
    .header('location', `${url}/result`)
    .header('operation-location', `${url}/operation`)
    .send(toPromptbookResult(report))
}

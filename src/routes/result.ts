import type { Run } from '../copilot/copilot.ts'
import type { PromptbookRun } from '../copilot/promptbook.ts'
import { resultTypeOf, stateOf } from '../copilot/spelling.ts'
import type { EvaluationResult, OperationStatus, PromptbookRunResult } from './schemas.ts'

/** A run in the connector's words. */
export const toEvaluationResult = ({
  sessionId,
  promptId,
  prompt,
  evaluation,
}: Run): EvaluationResult => ({
  sessionId,
  promptId,
  evaluationId: evaluation.id,
  skillName: prompt.skillName,
  promptContent: prompt.content,
  evaluationState: stateOf(evaluation),
  evaluationResultType: resultTypeOf(evaluation),
  EvaluationResultContent: evaluation.result?.content ?? null,
  // Graph has no suggestions; never null, since a For-each over null fails.
  nextPromptSuggestions: [],
})

/** A promptbook run in the connector's words. */
export const toPromptbookRunResult = ({
  sessionId,
  state,
  steps,
}: PromptbookRun): PromptbookRunResult => ({
  sessionId,
  promptbookState: state,
  evaluationResults: steps.map(({ prompt, evaluation }) => ({
    skillName: prompt.skillName,
    promptContent: prompt.content,
    evaluationResultType: evaluation ? resultTypeOf(evaluation) : 'Unknown',
    EvaluationResultContent: evaluation?.result?.content ?? null,
  })),
})

function outcome(run: Run): Pick<OperationStatus, 'status' | 'result' | 'error'> {
  const state = stateOf(run.evaluation)
  if (state === 'Created') return { status: 'NotStarted' }
  if (state === 'Cancelled') return { status: 'Canceled' }
  if (state !== 'Completed') return { status: 'Running' }
  const result = toEvaluationResult(run)
  const code = result.evaluationResultType
  if (code === 'Success') return { status: 'Succeeded', result }
  return {
    status: 'Failed',
    result,
    error: { code, message: `The evaluation completed with result type "${code}"` },
  }
}

/**
 * A run as the status of a long-running operation: a completed run that is no success is `Failed`.
 */
export const toOperationStatus = (run: Run): OperationStatus => ({
  id: run.evaluation.id,
  createdDateTime: run.evaluation.createdDateTime,
  lastActionDateTime: run.evaluation.lastModifiedDateTime,
  ...outcome(run),
})

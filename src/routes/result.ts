import type { Run } from '../copilot/evaluation.ts'
import type { PromptbookRun } from '../copilot/promptbook.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { EvaluationResult, OperationStatus, PromptbookRunResult } from './schemas.ts'

/**
 * Graph spells enum members in camel case, the connector with a capital; members of the future
 * likewise.
 */
const capitalised = (member: string): string => member.charAt(0).toUpperCase() + member.slice(1)

/** `Success`, or why there is none; `Unknown` while there is no result. */
const resultTypeOf = (evaluation: Evaluation | undefined): string =>
  capitalised(evaluation?.result?.type ?? 'unknown')

/** What an answer says of its run, beside its content. */
export const toAnswer = ({ sessionId, promptId, evaluation }: Run) => ({
  sessionId,
  promptId,
  evaluationId: evaluation.id,
  evaluationState: capitalised(evaluation.state),
  evaluationResultType: resultTypeOf(evaluation),
})

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
  evaluationState: capitalised(evaluation.state),
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
  promptbookState: capitalised(state),
  evaluationResults: steps.map(({ prompt, evaluation }) => ({
    skillName: prompt.skillName,
    promptContent: prompt.content,
    evaluationResultType: resultTypeOf(evaluation),
    EvaluationResultContent: evaluation?.result?.content ?? null,
  })),
})

function outcome(run: Run): Pick<OperationStatus, 'status' | 'result' | 'error'> {
  const { state } = run.evaluation
  if (state === 'created') return { status: 'NotStarted' }
  if (state === 'cancelled') return { status: 'Canceled' }
  if (state !== 'completed') return { status: 'Running' }
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

// What every peer does with Graph's evaluation: the connector's EvaluationResult, by the shortest
// code.
const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

export interface Ids {
  readonly sessionId: string
  readonly promptId: string
}

export const reshape = ({ sessionId, promptId }: Ids, promptContent: string, evaluation: any) => ({
  sessionId,
  promptId,
  evaluationId: evaluation.id,
  skillName: null,
  promptContent,
  evaluationState: capitalised(evaluation.state),
  evaluationResultType: evaluation.result ? capitalised(evaluation.result.type) : 'Unknown',
  EvaluationResultContent: evaluation.result?.content ?? null,
  nextPromptSuggestions: [],
})

export const workspace = '/beta/security/securityCopilot/workspaces/default'
export const fetchPath = /^\/sessions\/([^/]+)\/prompts\/([^/]+)\/evaluations\/([^/]+)$/

/** As long as the token that ours sends to Graph. */
export const authorization = `Bearer ${'x'.repeat(640)}`

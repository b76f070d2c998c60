import type { Model } from './graph/graph-model.ts'

/** An evaluation of the simulator that began or ended. */
export interface EvaluationEvent {
  readonly sessionId: string
  readonly promptId: string
  readonly evaluationId: string
  /** The prompt's place in its session, from 1. */
  readonly place: number
}

/** How it ended, in Graph's words. */
export interface EvaluationEnd extends EvaluationEvent {
  readonly state: string
  readonly resultType: string
  readonly ms: number
}

export interface EvaluationWatchOptions {
  /** Hears of an evaluation when it begins. */
  onBegan(event: EvaluationEvent): void
  /** Hears how it ended. A state that never ends is never told. */
  onEnded(event: EvaluationEnd): void
}

/** How often an evaluation that runs is looked at, in real ms. */
const lookMs = 200

const ended: ReadonlySet<string> = new Set(['completed', 'cancelled'])

/** The model, with an ear for its evaluations: each is told when it begins and when it ended. */
export function watchEvaluations(
  model: Model,
  { onBegan, onEnded }: EvaluationWatchOptions,
): Model {
  return {
    ...model,
    createEvaluation(owner, sessionId, promptId) {
      const created = model.createEvaluation(owner, sessionId, promptId)
      if (!created) return created
      const prompts = model.listPrompts(owner, sessionId) ?? []
      const place = prompts.findIndex(({ id }) => id === promptId.toLowerCase()) + 1
      const event = { sessionId, promptId, evaluationId: created.id, place }
      onBegan(event)
      const looking = setInterval(() => {
        const evaluation = model.getEvaluation(owner, sessionId, promptId, created.id)
        if (!evaluation || !ended.has(evaluation.state)) return
        clearInterval(looking)
        const { createdDateTime, completedDateTime, state, result } = evaluation
        onEnded({
          ...event,
          state,
          resultType: result?.type ?? 'unknown',
          ms: Date.parse(completedDateTime) - Date.parse(createdDateTime),
        })
      }, lookMs)
      looking.unref()
      return created
    },
  }
}

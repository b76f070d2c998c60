// The run of a promptbook as a machine without input or output: what happened makes a state, and a
// state says what to do next. Whoever has the state, on whichever replica, can go on from it.

/** A step that began: its prompt exists. */
export interface StepState {
  readonly promptId: string
  readonly evaluationId?: string
  /** Its evaluation's result type, or `Cancelled`; absent while it goes on. */
  readonly ended?: string
  /**
   * The evaluation before, which ended with `CapacityExceeded`: it is not this run of the prompt.
   */
  readonly spentNothing?: string
}

/** Why a run cannot go on although no evaluation says so. */
export interface Refusal {
  readonly step: number
  /** The code and message of the error that a caller sees; no text of a prompt is in it. */
  readonly code: string
  readonly message: string
  /** Whether the same key again may go on from here: capacity, budget, Graph's refusals. */
  readonly repeatable: boolean
}

/** A run as far as it is known; plain JSON. */
export interface RunState {
  /** How many prompts are to be asked, at least 1. */
  readonly count: number
  readonly sessionId?: string
  /** The steps that began, in order; each but the last ended with `Success`. */
  readonly steps: readonly StepState[]
  readonly failed?: Refusal
  /** Nobody may go on until someone comes with a token. */
  readonly paused?: true
}

/** What happened. Steps count from 0. */
export type RunEvent =
  | { readonly type: 'sessionCreated'; readonly sessionId: string }
  | { readonly type: 'promptCreated'; readonly step: number; readonly promptId: string }
  | { readonly type: 'evaluationCreated'; readonly step: number; readonly evaluationId: string }
  | {
      readonly type: 'evaluationEnded'
      readonly step: number
      readonly evaluationId: string
      /** `Completed` or `Cancelled`, in either spelling; any other state has not ended. */
      readonly state: string
      readonly resultType: string
    }
  /** What was to be done for this step was refused for good: capacity, budget, Graph, ourselves. */
  | ({ readonly type: 'refused' } & Refusal)
  /** The same key came again. */
  | { readonly type: 'retried' }
  /** The token ended. */
  | { readonly type: 'paused' }
  /** Someone came with a token that lives. */
  | { readonly type: 'resumed' }

/** What to do next. */
export type RunAction =
  | { readonly do: 'createSession' }
  | { readonly do: 'createPrompt'; readonly step: number }
  | {
      readonly do: 'createEvaluation'
      readonly step: number
      readonly promptId: string
      /**
       * An evaluation of the prompt that is not to be adopted: it ended with `CapacityExceeded`.
       */
      readonly except?: string
    }
  | {
      readonly do: 'poll'
      readonly step: number
      readonly promptId: string
      readonly evaluationId: string
    }
  /** Nothing until `resumed` or `retried`. */
  | { readonly do: 'wait' }
  /** Nothing: it is over. `retried` may change that. */
  | { readonly do: 'done' }

/** `Failed`: a step ended without success, or something was refused. */
export type RunStatus = 'Running' | 'Completed' | 'Failed' | 'Cancelled'

/** The one result type that spent nothing, so that its prompt may be run again. */
const capacityExceeded = 'CapacityExceeded'

/** Graph's camel case as the connector spells it. */
const capitalised = (member: string): string => member.charAt(0).toUpperCase() + member.slice(1)

/** A run of `count` prompts that has not begun, in a session that exists or is to be opened. */
export const beginRun = (count: number, sessionId?: string): RunState => ({
  count,
  ...(sessionId !== undefined && { sessionId }),
  steps: [],
})

/** How a run stands. Pure. */
export function runStatus({ count, steps, failed }: RunState): RunStatus {
  const last = steps.at(-1)?.ended
  if (last === 'Cancelled') return 'Cancelled'
  if (failed || (last !== undefined && last !== 'Success')) return 'Failed'
  return steps.length === count && last === 'Success' ? 'Completed' : 'Running'
}

/** What to do next; of a state only, so that whoever reads it goes on in the same way. Pure. */
export function nextAction(state: RunState): RunAction {
  const { sessionId, steps, paused } = state
  if (runStatus(state) !== 'Running') return { do: 'done' }
  if (paused) return { do: 'wait' }
  if (sessionId === undefined) return { do: 'createSession' }
  const last = steps.at(-1)
  if (!last || last.ended !== undefined) return { do: 'createPrompt', step: steps.length }
  const step = steps.length - 1
  const { promptId, evaluationId, spentNothing } = last
  if (evaluationId !== undefined) return { do: 'poll', step, promptId, evaluationId }
  return {
    do: 'createEvaluation',
    step,
    promptId,
    ...(spentNothing !== undefined && { except: spentNothing }),
  }
}

const withLast = (state: RunState, last: StepState): RunState => ({
  ...state,
  steps: [...state.steps.slice(0, -1), last],
})

/** The same key again: a refusal that may be repeated is forgotten, and so is a full capacity. */
function retry(state: RunState): RunState {
  const { paused: _paused, failed, ...rest } = state
  if (failed && !failed.repeatable) return { ...rest, failed }
  const last = state.steps.at(-1)
  if (last?.ended !== capacityExceeded || last.evaluationId === undefined) return rest
  return withLast(rest, { promptId: last.promptId, spentNothing: last.evaluationId })
}

/**
 * The state after an event. What does not fit, since it is known already or comes late, changes
 * nothing: the first to say something is right. A fact is kept although the run failed meanwhile,
 * so that no evaluation is forgotten and made again. Pure; never throws.
 */
export function applyEvent(state: RunState, event: RunEvent): RunState {
  const { count, sessionId, steps } = state
  const last = steps.at(-1)
  const isLast = 'step' in event && last !== undefined && event.step === steps.length - 1
  switch (event.type) {
    case 'sessionCreated':
      return sessionId === undefined ? { ...state, sessionId: event.sessionId } : state
    case 'promptCreated': {
      const isNext = event.step === steps.length && event.step < count && sessionId !== undefined
      if (!isNext || (last && last.ended !== 'Success')) return state
      return { ...state, steps: [...steps, { promptId: event.promptId }] }
    }
    case 'evaluationCreated':
      if (!isLast || last.evaluationId !== undefined) return state
      if (last.spentNothing === event.evaluationId) return state
      return withLast(state, { ...last, evaluationId: event.evaluationId })
    case 'evaluationEnded': {
      const ending = capitalised(event.state)
      if (!isLast || last.evaluationId !== event.evaluationId || last.ended !== undefined)
        return state
      if (ending === 'Cancelled') return withLast(state, { ...last, ended: ending })
      if (ending !== 'Completed') return state
      return withLast(state, { ...last, ended: capitalised(event.resultType) })
    }
    case 'refused': {
      const { type: _type, ...refusal } = event
      const isCurrent = event.step === steps.length - (last && last.ended !== 'Success' ? 1 : 0)
      if (!isCurrent || runStatus(state) !== 'Running') return state
      return { ...state, failed: refusal }
    }
    case 'retried':
      return retry(state)
    case 'paused':
      return runStatus(state) === 'Running' ? { ...state, paused: true } : state
    case 'resumed': {
      const { paused: _paused, ...rest } = state
      return rest
    }
    default:
      return event satisfies never
  }
}

/** Why a run failed, in a line each: what was refused, or how its last step ended. Pure. */
export function runErrors(state: RunState): string[] {
  const { failed, steps } = state
  if (runStatus(state) !== 'Failed') return []
  const ended = steps.at(-1)?.ended
  const errors = failed ? [failed.message] : []
  if (ended !== undefined && ended !== 'Success')
    errors.push(`Cannot go on with the promptbook: prompt ${steps.length} ended with ${ended}`)
  return errors
}

import { simulatedAnswer } from './simulated-content.ts'
import { dateTime, never, ticksPerMs } from './date-time.ts'
import type { EvaluationEntity } from './entities.ts'
import type { Script } from './markers.ts'

/** What is fixed when an evaluation is created; the rest follows from the time. Times in ticks. */
export interface EvaluationPlan {
  readonly id: string
  readonly created: bigint
  readonly start: bigint
  readonly end: bigint
  readonly content: string
  /** The prompt's place in its session, from 1. */
  readonly place: number
  readonly script: Script
  readonly states: StateNames
}

/** How evaluations go, unless their prompt asks for something else. */
export interface EvaluationHabits {
  /** How long an evaluation takes. @default 16.5, as in the reference page's sample */
  readonly evaluationSeconds?: number | undefined
  /** How long after its creation an evaluation is listed. @default 0 */
  readonly listedAfterSeconds?: number | undefined
  /** What the states of an evaluation are called. @default usualStates */
  readonly states?: StateNames | undefined
  /** The type of the result. @default success */
  readonly resultType?: string | undefined
  /** How one ends when an earlier prompt of its session never ran. @default as any other */
  readonly afterUnrun?: Partial<Pick<Script, 'state' | 'result'>> | undefined
}

/** What the states are called: at first, then each after so many ms, and at the end if it ends. */
export interface StateNames {
  readonly created: string
  readonly running: readonly { readonly state: string; readonly afterMs: number }[]
  readonly ended?: string | undefined
}

/** The states of the reference page's samples. */
const usualStates: StateNames = {
  created: 'created',
  running: [{ state: 'running', afterMs: 0 }],
  ended: 'completed',
}

/** The sample's time from creation to start. */
const startDelay = 300n * ticksPerMs

/**
 * Plans the next evaluation of a prompt that has `earlier` others and `unrun` prompts before it:
 * its script, else the habits. Pure.
 */
export function planEvaluation(
  habits: EvaluationHabits,
  { earlier, unrun, ...plan }: NewEvaluation,
): EvaluationPlan {
  const { evaluationSeconds = 16.5, states = usualStates, resultType, afterUnrun } = habits
  const script = scriptAfter(earlier, plan.script)
  const usual = { result: resultType, ...(unrun && afterUnrun) }
  const asked = {
    ...script,
    result: script.result ?? usual.result,
    state: script.state ?? usual.state,
  }
  const seconds = script.seconds ?? evaluationSeconds
  const end = plan.created + BigInt(Math.round(seconds * 1000)) * ticksPerMs
  const start = plan.created + startDelay
  return { ...plan, script: asked, states, start: start < end ? start : end, end }
}

/** What an evaluation is planned from. */
export interface NewEvaluation extends Omit<EvaluationPlan, 'start' | 'end' | 'states'> {
  readonly earlier: number
  /** Whether an earlier prompt of its session was never evaluated. */
  readonly unrun: boolean
}

/**
 * The script of a prompt's evaluation after `earlier` others: a result that comes a number of times
 * comes at once, and after those times the evaluation succeeds. Pure.
 */
function scriptAfter(earlier: number, script: Script): Script {
  if (script.resultTimes === undefined) return script
  return earlier < script.resultTimes
    ? { ...script, seconds: script.seconds ?? 0 }
    : { ...script, result: undefined }
}

/** Whether the lists show the evaluation at `now`. Pure. */
export function isListedAt(
  plan: EvaluationPlan,
  now: bigint,
  { listedAfterSeconds = 0 }: EvaluationHabits,
): boolean {
  const seconds = plan.script.listed ?? listedAfterSeconds
  const after = BigInt(Math.round(seconds * 1000)) * ticksPerMs
  return after === 0n || now >= plan.created + after
}

type Phase = 'created' | 'started' | 'ended'

/** A script that names a state stops the evaluation there; only a cancelled one ends. */
function phaseAt({ start, end, script, states }: EvaluationPlan, now: bigint): Phase {
  if (now < start) return 'created'
  const ends =
    script.state === 'cancelled' || (script.state === undefined && states.ended !== undefined)
  return ends && now >= end ? 'ended' : 'started'
}

function stateIn(phase: Phase, { script, states, created }: EvaluationPlan, now: bigint): string {
  if (phase === 'created') return states.created
  if (phase === 'ended') return script.state ?? states.ended ?? ''
  if (script.state !== undefined && script.state !== 'cancelled') return script.state
  const ms = Number((now - created) / ticksPerMs)
  return (
    (states.running.findLast(({ afterMs }) => afterMs <= ms) ?? states.running[0])?.state ??
    states.created
  )
}

function resultIn(
  phase: Phase,
  { script, content, place }: EvaluationPlan,
): EvaluationEntity['result'] {
  if (phase === 'created') return null
  if (phase === 'started' || script.state === 'cancelled')
    return { content: null, type: 'unknown', previewState: 'ga' }
  const type = script.result ?? 'success'
  const answer =
    script.answer ?? simulatedAnswer({ content, place, resultType: type, length: script.length })
  return { content: answer, type, previewState: 'private' }
}

/** The evaluation as Graph shows it at `now`: created, then running, then completed. Pure. */
export function evaluationAt(plan: EvaluationPlan, now: bigint): EvaluationEntity {
  const phase = phaseAt(plan, now)
  const { id, created, start, end, script } = plan
  const modified = { created, started: now, ended: end }[phase]
  return {
    id,
    createdDateTime: dateTime(created),
    runStartDateTime: phase === 'created' ? never : dateTime(start),
    completedDateTime: phase === 'ended' ? dateTime(end) : never,
    lastModifiedDateTime: dateTime(modified),
    state: stateIn(phase, plan, now),
    executionCount: 0,
    isCancelled: phase === 'ended' && script.state === 'cancelled',
    result: resultIn(phase, plan),
  }
}

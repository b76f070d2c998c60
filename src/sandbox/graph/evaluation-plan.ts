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
}

/** The sample's time from creation to start. */
const startDelay = 300n * ticksPerMs

/** Plans an evaluation that takes `seconds`, unless its script says otherwise. */
export function planEvaluation(
  seconds: number,
  plan: Omit<EvaluationPlan, 'start' | 'end'>,
): EvaluationPlan {
  const end =
    plan.created + BigInt(Math.round((plan.script.seconds ?? seconds) * 1000)) * ticksPerMs
  const start = plan.created + startDelay
  return { ...plan, start: start < end ? start : end, end }
}

/**
 * The script of a prompt's evaluation after `earlier` others: a result that comes a number of times
 * comes at once, and after those times the evaluation succeeds. Pure.
 */
export function scriptAfter(earlier: number, script: Script): Script {
  if (script.resultTimes === undefined) return script
  return earlier < script.resultTimes
    ? { ...script, seconds: script.seconds ?? 0 }
    : { ...script, result: undefined }
}

/** Whether the lists show it at `now`, `seconds` after its creation unless its script says else. */
export function isListedAt(plan: EvaluationPlan, now: bigint, seconds: number): boolean {
  const after = BigInt(Math.round((plan.script.listed ?? seconds) * 1000)) * ticksPerMs
  return after === 0n || now >= plan.created + after
}

type Phase = 'created' | 'started' | 'ended'

/** A script that names a state stops the evaluation there; only a cancelled one ends. */
function phaseAt({ start, end, script }: EvaluationPlan, now: bigint): Phase {
  if (now < start) return 'created'
  const ends = script.state === undefined || script.state === 'cancelled'
  return ends && now >= end ? 'ended' : 'started'
}

function stateIn(phase: Phase, { state }: Script): string {
  if (phase === 'created') return 'created'
  if (state === 'cancelled') return phase === 'ended' ? 'cancelled' : 'running'
  return state ?? (phase === 'ended' ? 'completed' : 'running')
}

function resultIn(
  phase: Phase,
  { script, content, place }: EvaluationPlan,
): EvaluationEntity['result'] {
  if (phase === 'created') return null
  if (phase === 'started' || script.state === 'cancelled')
    return { content: null, type: 'unknown', previewState: 'ga' }
  const type = script.result ?? 'success'
  const answer = simulatedAnswer({ content, place, resultType: type, length: script.length })
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
    state: stateIn(phase, script),
    executionCount: 0,
    isCancelled: phase === 'ended' && script.state === 'cancelled',
    result: resultIn(phase, plan),
  }
}

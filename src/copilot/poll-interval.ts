import { cellOf, cellsPerOctave, createSeenDurations, edgesMs } from './seen-durations.ts'
import type { ExpectedDurations } from './seen-durations.ts'

/** When to poll an evaluation next, from how long evaluations took of late. */
export interface PollPace {
  /**
   * Notes how long an evaluation took, in ms, from its creation to its end as Graph dates them.
   * Durations that cannot be true (negative, not a number, more than a day) are ignored.
   */
  note(durationMs: number): void
  /** Milliseconds to wait before the next poll of an evaluation of this age: 500 to 20,000. */
  waitMs(ageMs: number): number
  /**
   * Whole seconds that a caller is asked to wait before the next poll: the same interval, but not
   * longer than the evaluation has run, so 2 at first and 20 at most.
   */
  retryAfterSeconds(ageMs: number): number
}

export interface PollPaceOptions {
  /** How much later a result may be, in ms, to spare one poll: more makes fewer polls. */
  readonly pollCostMs?: number
  /** How long a poll takes, in ms: what it tells is half as old when it arrives. */
  readonly roundTripMs?: number
  /** After how many further durations one weighs 1/e of what it did; more than 1. */
  readonly memory?: number
}

const shortestWaitMs = 500
const longestWaitMs = 20_000

/** The first interval with nothing seen. */
const firstIntervalMs = 1300

/** Beyond every duration seen, and with none seen, the interval grows by an eighth of the age. */
const ageToGrowth = 8

/** Beyond a day an evaluation is no older. */
const longestAgeMs = 24 * 60 * 60 * 1000

/** Weight of evaluations that never end, so that an end is never taken for certain. */
const endless = 1

/** Weight of ends at every age, 0.2 to a doubling, so that none is taken for impossible. */
const supposed = 0.2 / cellsPerOctave

/** So many durations change the schedule together; each of the first ones does. */
const durationsPerSchedule = 8

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value))

/** An age below zero is a clock that differs from Graph's. */
const believed = (ageMs: number): number => (ageMs > 0 ? ageMs : 0)

/**
 * Tells the time in ms from one observation, at an age, to the next. This is the optimum of
 * inspection schedules (Barlow and Proschan): where evaluations end at the rate `h`, delay plus
 * cost is least with a poll every `sqrt(2 * cost / h)`, so that the next poll is due when that rate
 * of polls adds up to one. Beyond the durations seen the rate falls with the age. Pure.
 */
function scheduleOf(
  { ends, longest }: ExpectedDurations,
  { pollCostMs, roundTripMs }: Required<PollPaceOptions>,
): (ageMs: number) => number {
  const horizon = ends.findLastIndex(weight => weight > 0) + 1
  const lowest = 1 / (longestWaitMs + roundTripMs)
  const highest = 1 / (shortestWaitMs + roundTripMs)

  // The number of polls that are due until each edge.
  const due = [0]
  let running = ends.reduce((sum, weight) => sum + weight, endless)
  let rate = 1 / firstIntervalMs
  for (let cell = 0; cell < horizon; cell += 1) {
    const widthMs = edgesMs[cell + 1]! - edgesMs[cell]!
    const hazard = Math.log((running + supposed) / (running - ends[cell]!)) / widthMs
    const optimum = clamp(Math.sqrt(hazard / (2 * pollCostMs)), lowest, highest)
    rate = cell > longest ? Math.min(rate, optimum) : optimum
    due.push(due[cell]! + rate * widthMs)
    running -= ends[cell]!
  }
  const horizonMs = edgesMs[horizon]!
  const dueAtHorizon = due[horizon]!
  const growthMs = ageToGrowth / rate

  const dueAt = (ageMs: number): number => {
    const beyondMs = ageMs - horizonMs
    if (beyondMs >= 0) return dueAtHorizon + ageToGrowth * Math.log1p(beyondMs / growthMs)
    const cell = Math.min(horizon - 1, cellOf(ageMs))
    const part = (ageMs - edgesMs[cell]!) / (edgesMs[cell + 1]! - edgesMs[cell]!)
    return due[cell]! + part * (due[cell + 1]! - due[cell]!)
  }
  const ageAt = (polls: number): number => {
    const beyond = polls - dueAtHorizon
    if (beyond >= 0) return horizonMs + growthMs * Math.expm1(beyond / ageToGrowth)
    const edge = due.findIndex(count => count > polls)
    const part = (polls - due[edge - 1]!) / (due[edge]! - due[edge - 1]!)
    return edgesMs[edge - 1]! + part * (edgesMs[edge]! - edgesMs[edge - 1]!)
  }
  return ageMs => ageAt(dueAt(ageMs) + 1) - ageMs
}

/**
 * The pace of all polls of this process: whatever the connection, they follow the durations noted
 * last, within a fixed amount of memory.
 */
export function createPollPace({
  pollCostMs = 80,
  roundTripMs = 300,
  memory = 200,
}: PollPaceOptions = {}): PollPace {
  const options = { pollCostMs, roundTripMs, memory }
  const seen = createSeenDurations(memory)
  let intervalAt = scheduleOf(seen.expected(), options)
  let noted = 0

  const waitMs = (ageMs: number): number => {
    const observedMs = clamp(believed(ageMs) - roundTripMs / 2, 0, longestAgeMs)
    const wait = Math.round(intervalAt(observedMs) - roundTripMs)
    return clamp(wait, shortestWaitMs, longestWaitMs)
  }

  return {
    note(durationMs) {
      if (!seen.note(durationMs)) return
      noted += 1
      if (noted > durationsPerSchedule && noted % durationsPerSchedule !== 0) return
      intervalAt = scheduleOf(seen.expected(), options)
    },
    waitMs,
    retryAfterSeconds(ageMs) {
      const seconds = Math.ceil(waitMs(ageMs) / 1000)
      return clamp(Math.min(seconds, Math.floor(believed(ageMs) / 1000)), 2, 20)
    },
  }
}

import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/deadline.ts'

/**
 * Nobody waits longer for a store that hangs, in ms: 100 is the limit, and the rest of a call takes
 * its time too.
 */
export const answerMs = 80

/**
 * After a failure the store is left alone for so long: whoever calls meanwhile does not wait for
 * it.
 */
const retryAfterMs = 1000

export interface StoreStateOptions {
  readonly clock: Clock
  /** Hears when the store is lost, with the reason, and when it is back. */
  onChange(available: boolean, reason?: unknown): void
}

/** Whether the store is there: all that count on it share what one of them found out. */
export interface StoreState {
  /** The store's answer; undefined while it is away. */
  ask<T>(question: () => Promise<T>): Promise<T | undefined>
  /** Somebody else found out whether the store takes writes, and how fast it answers. */
  answered(took: boolean, ms: number): void
}

/** A store that is thought to be there, until it does not answer. */
export function storeState({ clock, onChange }: StoreStateOptions): StoreState {
  let available = true
  let retryAt = Number.NEGATIVE_INFINITY

  function set(now: boolean, reason?: unknown): void {
    retryAt = now ? Number.NEGATIVE_INFINITY : clock.monotonic() + retryAfterMs
    if (now !== available) onChange(now, reason)
    available = now
  }

  return {
    async ask(question) {
      if (clock.monotonic() < retryAt) return undefined
      try {
        const answer = await within(answerMs, question())
        set(true)
        return answer
      } catch (error) {
        set(false, error)
        return undefined
      }
    },
    answered(took, ms) {
      if (!took) set(false, new Error('the store takes no writes'))
      else if (ms < answerMs) set(true)
    },
  }
}

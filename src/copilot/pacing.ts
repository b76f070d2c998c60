const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value))

/**
 * Whole seconds that a caller is asked to wait before the next poll: a quarter of the evaluation's
 * age, 2 at first and 20 at most (contract, section 2). An age below zero is a clock that differs
 * from Graph's.
 */
export const retryAfterSeconds = (ageMs: number): number => clamp(Math.floor(ageMs / 4000), 2, 20)

/**
 * Milliseconds between two polls of a held request: an eighth of the time since it began, 1 s at
 * first and 5 s at most.
 */
export const holdPollMs = (ageMs: number): number => clamp(Math.round(ageMs / 8), 1000, 5000)

/** Runs work when it is its turn. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Lets so many pieces of work run at once; more wait, first come first served, and beyond
 * `maxWaiting` what `tooMany` makes is thrown.
 */
export function createTurns(atOnce: number, maxWaiting: number, tooMany: () => Error): Turns {
  let running = 0
  const waiting: (() => void)[] = []

  return async work => {
    if (running < atOnce) running += 1
    else if (waiting.length >= maxWaiting) throw tooMany()
    // Whoever leaves hands its place on, so that nobody slips in between.
    else await new Promise<void>(resolve => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}

/** Runs a call of this connection when it is its turn. */
export type Bulkhead = <T>(connectionKey: string, call: () => Promise<T>) => Promise<T>

interface Lane {
  running: number
  readonly waiting: (() => void)[]
}

/**
 * Lets each connection have so many calls under way at once; more wait, first come first served.
 * One caller's slow calls cannot use up what all share.
 */
export function createBulkhead(callsAtOnce: number): Bulkhead {
  const lanes = new Map<string, Lane>()

  return async (connectionKey, call) => {
    const lane = lanes.get(connectionKey) ?? { running: 0, waiting: [] }
    lanes.set(connectionKey, lane)
    // Whoever leaves hands its place on, so that nobody slips in between.
    if (lane.running >= callsAtOnce) await new Promise<void>(resolve => lane.waiting.push(resolve))
    else lane.running += 1
    try {
      return await call()
    } finally {
      const next = lane.waiting.shift()
      if (next) next()
      else lane.running -= 1
      if (lane.running === 0) lanes.delete(connectionKey)
    }
  }
}

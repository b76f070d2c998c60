import { ConnectorError } from '../errors.ts'

/** Which call goes first when several wait: a caller waits for it now, or it is a poll. */
export type Urgency = 'caller' | 'poll'

/** For whom a call is made, and how urgent it is. */
export interface Turn {
  readonly connectionKey: string
  readonly urgency: Urgency
  /** Nobody wants the call any more. */
  readonly signal: AbortSignal
}

/**
 * Runs a call when it is its turn.
 * @throws ConnectorError `GraphTimeout` when its turn does not come in time, or `signal` aborts
 *   first; then the call was never made.
 */
export type Bulkhead = <T>(turn: Turn, call: () => Promise<T>) => Promise<T>

export interface BulkheadOptions {
  /** Calls of one connection under way at once. */
  readonly perConnection: number
  /** Calls of all connections under way at once. */
  readonly total: number
  /** How long a call waits for its turn, in ms of real time. */
  readonly maxWaitMs: number
}

/** The calls of one connection: those under way, and who waits, by urgency, first come first. */
interface Lane {
  running: number
  readonly waiting: Readonly<Record<Urgency, Set<() => void>>>
}

const urgencies: readonly Urgency[] = ['caller', 'poll']

const tookTooLong = (): ConnectorError =>
  new ConnectorError(
    'GraphTimeout',
    'Cannot call Microsoft Graph: too many calls of this connection are under way',
    {},
    { notSent: true, final: true, ours: true },
  )

/**
 * Bulkhead: each connection has so many calls under way at once, and so have all together; more
 * wait. A free place goes to the connection with the fewest calls under way, callers' calls before
 * polls: one caller's slow calls cannot use up what all share.
 */
export function createBulkhead({ perConnection, total, maxWaitMs }: BulkheadOptions): Bulkhead {
  const lanes = new Map<string, Lane>()
  /** The lanes in which somebody waits. */
  const queued = new Set<Lane>()
  let running = 0

  function laneOf(key: string): Lane {
    const lane = lanes.get(key) ?? { running: 0, waiting: { caller: new Set(), poll: new Set() } }
    lanes.set(key, lane)
    return lane
  }

  /** Gives a free place to the next who waits for one. */
  function admitNext(): void {
    if (running >= total) return
    for (const urgency of urgencies) {
      let next: Lane | undefined
      for (const lane of queued) {
        const waits = lane.waiting[urgency].size > 0 && lane.running < perConnection
        if (waits && (!next || lane.running < next.running)) next = lane
      }
      const [admit] = next?.waiting[urgency] ?? []
      if (admit) return admit()
    }
  }

  /** Resolves when the call may go. */
  async function wait(lane: Lane, urgency: Urgency, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<'admitted' | 'left'>()
    const queue = lane.waiting[urgency]
    function leave(how: 'admitted' | 'left'): void {
      queue.delete(admit)
      if (urgencies.every(one => lane.waiting[one].size === 0)) queued.delete(lane)
      clearTimeout(timer)
      resolve(how)
    }
    function admit(): void {
      lane.running += 1
      running += 1
      leave('admitted')
    }
    const giveUp = () => leave('left')
    queue.add(admit)
    queued.add(lane)
    signal.addEventListener('abort', giveUp, { once: true })
    const timer = setTimeout(giveUp, maxWaitMs)
    const how = await promise
    signal.removeEventListener('abort', giveUp)
    if (how === 'left') throw tookTooLong()
  }

  return async ({ connectionKey, urgency, signal }, call) => {
    const lane = laneOf(connectionKey)
    if (lane.running < perConnection && running < total && !signal.aborted) {
      lane.running += 1
      running += 1
    } else if (signal.aborted) {
      throw tookTooLong()
    } else {
      await wait(lane, urgency, signal)
    }
    try {
      return await call()
    } finally {
      lane.running -= 1
      running -= 1
      if (lane.running === 0 && !queued.has(lane)) lanes.delete(connectionKey)
      admitNext()
    }
  }
}

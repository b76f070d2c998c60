/** A call to Graph that is over. */
export interface GraphCallFacts {
  readonly operation: string
  /** Graph's status; `undefined` when no response came. */
  readonly status: number | undefined
  readonly seconds: number
}

/** A request that is over. */
export interface RequestFacts {
  readonly method: string
  /**
   * The route's template; `unmatched` for a path that nobody serves, `malformed` for what is no
   * HTTP.
   */
  readonly route: string
  /** 499 when the caller hung up before the response. */
  readonly status: number
  /** The error's code. */
  readonly code: string | undefined
  readonly seconds: number
}

/** How a claim of an Idempotency-Key ended. */
export type KeyOutcome =
  | 'new'
  | 'resumed'
  | 'replayed'
  | 'reused'
  | 'busy'
  | 'tooMany'
  | 'passed'
  | 'unavailable'

/** How a token for Graph was come by. */
export type TokenOutcome = 'cached' | 'exchanged' | 'refused'

/** Hears what happens in the service, without contents: numbers are made of it. */
export interface Observer {
  requestEnded(facts: RequestFacts): void
  graphCalled(facts: GraphCallFacts): void
  /** A request waits for its evaluation (+1), or does so no longer (-1). */
  longPollsChanged(by: 1 | -1): void
  callCounted(outcome: 'admitted' | 'refused'): void
  keyClaimed(outcome: KeyOutcome): void
  tokenObtained(outcome: TokenOutcome): void
  /** The circuit of a connection opens (+1) or closes (-1). */
  circuitsChanged(by: 1 | -1): void
  storeChanged(available: boolean): void
  /** Log lines that nobody took were dropped. */
  logLinesDropped(lines: number): void
  /** Whether the store throws keys away when its memory is full. */
  storeEvicts(evicts: boolean): void
}

const ignore = (): void => undefined

/** Hears nothing. */
export const noObserver: Observer = {
  requestEnded: ignore,
  graphCalled: ignore,
  longPollsChanged: ignore,
  callCounted: ignore,
  keyClaimed: ignore,
  tokenObtained: ignore,
  circuitsChanged: ignore,
  storeChanged: ignore,
  logLinesDropped: ignore,
  storeEvicts: ignore,
}

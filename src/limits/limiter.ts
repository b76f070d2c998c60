/** What is left of a connection's allowance. */
export interface Allowance {
  /** Whether the call that asked is let in; of a look, whether one would be. */
  readonly admitted: boolean
  /** Calls that would be admitted now. */
  readonly remaining: number
  /**
   * Milliseconds until the oldest counted call leaves the window, and one more is admitted. Nothing
   * is counted: 0.
   */
  readonly resetMs: number
  /** Which call was counted, for refund() only. */
  readonly receipt?: unknown
}

/** The allowance of every connection: so many calls in any window of so many milliseconds. */
export interface Quota {
  readonly calls: number
  readonly windowMs: number
}

/**
 * Counts calls per connection, exactly: in no window of the quota's length, wherever it lies, are
 * more calls admitted than the quota says, and none is refused that would fit. A refused call is
 * not counted.
 */
export interface Limiter {
  /** Asks for one call, which is counted if it is admitted. */
  take(connectionKey: string): Promise<Allowance>
  /** Looks at what is left; counts nothing. */
  peek(connectionKey: string): Promise<Allowance>
  /**
   * Gives back the very call that take() counted, as if it had never been made; without effect when
   * it was refused or has left the window.
   */
  refund(connectionKey: string, allowance: Allowance): Promise<void>
  close(): Promise<void>
}

/** A limiter, with the quota that it keeps. */
export interface Limit {
  readonly limiter: Limiter
  readonly quota: Quota
}

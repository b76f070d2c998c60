/** What is left of a connection's allowance after a call asked for one more. */
export interface Allowance {
  readonly admitted: boolean
  /** Calls that would be admitted now. */
  readonly remaining: number
  /** Milliseconds until the oldest counted call leaves the window, and one more is admitted. */
  readonly resetMs: number
}

/** The allowance of every connection: so many calls in any window of so many seconds. */
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
  take(connectionKey: string): Promise<Allowance>
  close(): Promise<void>
}

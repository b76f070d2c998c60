/** What one client may take of the server, and for how long. Times in ms. */
export interface ServerLimits {
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number
  /**
   * From the first byte to the end of the body. The answer may take longer: a Submit is held for up
   * to 100 s.
   */
  readonly requestTimeoutMs: number
  /** How often both are looked at. */
  readonly checkIntervalMs: number
  /**
   * An idle connection is kept so long: longer than balancers keep theirs (60 s, as a rule), so
   * that it is they who close.
   */
  readonly keepAliveTimeoutMs: number
  /** Connections at the same time; further ones are closed at once. */
  readonly maxConnections: number
  /** Path and headers together. */
  readonly maxHeaderBytes: number
  readonly maxBodyBytes: number
}

export const serverLimits: ServerLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  checkIntervalMs: 2000,
  keepAliveTimeoutMs: 75_000,
  maxConnections: 10_000,
  maxHeaderBytes: 16 * 1024,
  maxBodyBytes: 1024 * 1024,
}

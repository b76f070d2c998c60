/**
 * Reads a `Retry-After` header: seconds, possibly with a fraction, or an HTTP date (RFC 9110,
 * 10.2.3). Returns whole seconds, rounded up, at least 1; `undefined` when there is none or it
 * cannot be read. Pure: `now` in ms.
 */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  // A date starts with a weekday; Date.parse alone would take "-5" for a year.
  const date = /^[A-Z][a-z]+[ ,]/.test(text) ? Date.parse(text) : Number.NaN
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (date - now) / 1000
  if (!Number.isFinite(seconds)) return undefined
  return Math.max(1, Math.ceil(seconds))
}

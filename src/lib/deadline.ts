/**
 * The result of `work`, or a failure when it does not come within `ms` of real time. A result that
 * arrived while this process was too busy to take it still counts: that is not the other side's
 * delay.
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  // Timers come before input in the event loop, so one more turn is given.
  const timer = setTimeout(
    () => setImmediate(() => late.reject(new Error(`Nothing within ${ms} ms`))),
    ms,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

import { CallError, type Reply } from './api-calls.ts'

/** The pause between two polls, in ms: at first, and at most. */
const firstMs = 400
const longestMs = 5000

/** Waits; ends with the signal's reason when another run begins. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
  signal.throwIfAborted()
}

/**
 * Reads again and again until `done`. An error that says when to come back is waited for.
 * @throws CallError any other error of the service
 */
export async function poll(
  read: () => Promise<Reply>,
  done: (reply: Reply) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (let ms = firstMs; ; ms = Math.min(ms * 1.2, longestMs)) {
    await pause(ms, signal)
    try {
      if (done(await read())) return
    } catch (error) {
      const seconds = error instanceof CallError ? error.reply.retryAfterSeconds : 0
      if (!seconds) throw error
      await pause(seconds * 1000, signal)
    }
  }
}

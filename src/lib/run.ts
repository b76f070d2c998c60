import { setTimeout as wait } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'

/** A service that runs, and how it ends. */
export interface Running {
  /**
   * Refuses new calls and answers waiting ones; the listener stays open, so that callers hear it.
   */
  stop(): void
  close(): Promise<unknown>
}

/** A stopping service is gone after so long, in ms, whatever is still under way. */
const closeMs = 7000

/**
 * Runs a service as this process: exits with code 1 and one plain line when it cannot start. On
 * SIGTERM or SIGINT it stops, stays for `drainMs` so that balancers see that it is not ready, then
 * closes, and exits with code 0.
 */
export async function run(start: () => Promise<Running>, drainMs: number): Promise<void> {
  try {
    const { stop, close } = await start()
    closeWithGrace({ delay: drainMs + closeMs + 1000, logger: false }, async () => {
      stop()
      await wait(drainMs)
      await Promise.race([close(), wait(closeMs)])
    })
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(1)
  }
}

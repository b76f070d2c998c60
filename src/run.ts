import closeWithGrace from 'close-with-grace'

/** How long a stopping service may take to answer what it holds, in ms. */
const graceMs = 10_000

/**
 * Runs a service as this process: exits with code 1 and one plain line when it cannot start, closes it on SIGTERM or SIGINT.
 * `start` returns what closes it.
 */
export async function run(start: () => Promise<() => Promise<unknown>>): Promise<void> {
  try {
    const close = await start()
    closeWithGrace({ delay: graceMs, logger: false }, close)
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(1)
  }
}

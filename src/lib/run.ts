import { setTimeout as wait } from 'node:timers/promises'

/** A service that runs, and how it ends. */
export interface Running {
  /**
   * Refuses new calls and answers waiting ones; the listener stays open, so that callers hear it.
   */
  stop(): void
  /** Answers whoever is still under way: the process must go. */
  cut(): void
  close(): Promise<unknown>
  /** Writes down why the process ends. */
  fatal(error: unknown): void
}

/**
 * The end of a process, in ms after SIGTERM: whoever is still under way is answered at the first,
 * and the process is gone at the second. An orchestrator must grant it more
 * (docs/api.md#10-process).
 */
const cutMs = 9500
const goneMs = 11_500

/** How long a process that crashed still answers whoever waits, in ms. */
const crashMs = 1000

/** Ends the process without its exit handlers, which would wait for a log that nobody reads. */
function exit(code: number): never {
  process.removeAllListeners('exit')
  process.exit(code)
}

/** How often a process that npm started looks for its parent, in ms. */
const parentMs = 250

/**
 * npm hands a signal to the shell that it started this process by, and the shell ends without
 * handing it on. So the end of the shell is the signal.
 */
function onParentGone(stop: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    stop()
  }, parentMs)
  timer.unref()
}

/** Closes within the time that is left; whether nothing was left open. */
async function closeWithin(running: Running, ms: number): Promise<boolean> {
  const closed = running.close().then(
    () => true,
    () => false,
  )
  return Promise.race([closed, wait(ms, false)])
}

/**
 * Runs a service as this process: exits with code 1 and one plain line when it cannot start. On
 * SIGTERM or SIGINT it stops, stays for `drainMs` so that balancers see that it is not ready,
 * answers whoever was let in, and exits: with code 0, or 1 when something had to be cut. A second
 * signal changes nothing. An unforeseen error is written to the log and to standard error, whoever
 * waits is answered, and the process exits with code 1.
 */
export async function run(start: () => Promise<Running>, drainMs: number): Promise<void> {
  const running = await start().catch((error: unknown) => {
    process.stderr.write(`${(error as Error).message}\n`)
    process.exit(1)
  })
  let ending = false

  async function stop(): Promise<void> {
    if (ending) return
    ending = true
    running.stop()
    const cutting = setTimeout(() => running.cut(), cutMs)
    await wait(drainMs)
    const whole = await closeWithin(running, goneMs - drainMs)
    clearTimeout(cutting)
    exit(whole ? 0 : 1)
  }

  async function crash(error: unknown): Promise<void> {
    const first = !ending
    ending = true
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    running.fatal(error)
    if (!first) return
    running.stop()
    await closeWithin(running, crashMs)
    exit(1)
  }

  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  onParentGone(() => void stop())
  process.on('uncaughtException', error => void crash(error))
  process.on('unhandledRejection', error => void crash(error))
}

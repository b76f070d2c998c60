/**
 * Tells the benchmark where this process listens, and answers what it asks: memory, sockets and
 * timers, how late the event loop was.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export function present(facts: Readonly<Record<string, string>>): void {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  process.on('message', question => {
    if (question === 'memory') {
      // An ordinary collection leaves code and caches of a few megabytes, which go at some later
      // time.
      globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
      const { heapUsed, external } = process.memoryUsage()
      process.send?.({ bytes: heapUsed + external })
    } else if (question === 'resources') {
      process.send?.({ open: process.getActiveResourcesInfo() })
    } else if (question === 'watch') {
      delay.reset()
      delay.enable()
      process.send?.({})
    } else if (question === 'delay') {
      delay.disable()
      process.send?.({ p99Ms: delay.percentile(99) / 1e6 })
    }
  })
  // The benchmark is gone: nobody else will end this process.
  process.on('disconnect', () => process.exit())
  process.send?.(facts)
}

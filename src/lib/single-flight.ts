/** Single flight: concurrent callers of one key share one piece of work. */
export type SingleFlight<T> = (key: string, start: () => Promise<T>) => Promise<T>

/** Work that is over is forgotten at once, whether it succeeded or failed. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const running = new Map<string, Promise<T>>()
  return (key, start) => {
    const shared = running.get(key) ?? start().finally(() => running.delete(key))
    running.set(key, shared)
    return shared
  }
}

import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, readFileSync } from 'node:fs'

/** A process that is measured. */
export interface Measured {
  readonly pid: number
  readonly url: string
  /** What it said of itself when it was ready. */
  readonly facts: Readonly<Record<string, string>>
  /** Asks it something, and returns what it says. */
  ask<Answer>(question: string): Promise<Answer>
  stop(): Promise<void>
}

/** The measured process has core 0 to itself; upstream and load share core 1. */
const measuredCore = '0'
export const otherCore = '1'

/** Pins a process, all its threads, to a core. */
export function pin(pid: number, core: string): void {
  spawn('taskset', ['-a', '-c', '-p', core, String(pid)], { stdio: 'ignore' })
}

const nowhere = openSync('/dev/null', 'w')

const running = new Set<ChildProcess>()

// However the benchmark ends.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Ends what was started and not ended. */
export async function stopAll(): Promise<void> {
  for (const child of running) await stop(child)
}

/**
 * V8's options in the container: every Node program that is measured has them, so that memory costs
 * all the same.
 */
export const [, nodeOptions = ''] =
  /^ENV NODE_OPTIONS="(.+)"$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? []

/** Starts a Node program that says where it listens, and answers questions. */
export async function start(
  file: string,
  args: readonly string[] = [],
  core = measuredCore,
): Promise<Measured> {
  const execArgv = ['--expose-gc', ...(core === measuredCore ? nodeOptions.split(' ') : [])]
  // A log is written, and thrown away by the system: what that costs is part of a request.
  const child = fork(file, args, { execArgv, stdio: ['ignore', nowhere, 'inherit', 'ipc'] })
  running.add(child)
  pin(child.pid as number, core)
  const [facts] = (await once(child, 'message')) as [Record<string, string>]
  // Threads that were started since.
  pin(child.pid as number, core)
  return {
    pid: child.pid as number,
    url: facts['url'] as string,
    facts,
    async ask(question) {
      child.send(question)
      const [answer] = (await once(child, 'message')) as [never]
      return answer
    },
    stop: () => stop(child),
  }
}

/** Starts any program. */
export function startProgram(
  command: string,
  args: readonly string[],
  url: string,
  variables: Readonly<Record<string, string>> = {},
): Measured {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin`, ...variables }
  const child = spawn(command, args, { stdio: 'ignore', env })
  running.add(child)
  pin(child.pid as number, measuredCore)
  return {
    pid: child.pid as number,
    url,
    facts: {},
    ask: async () => undefined as never,
    stop: () => stop(child),
  }
}

/**
 * CPU time of a process, all threads, in µs: Linux counts it in ns
 * (Documentation/scheduler/sched-stats.rst).
 */
export function cpuMicros(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanos = threads.map(thread =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanos.reduce((sum, value) => sum + value, 0) / 1000
}

/** Resident memory of a process, in MB. */
export function rssMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1000
}

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'

export interface Exit {
  readonly code: number | null
  readonly output: string
}

export interface Running {
  readonly child: ChildProcess
  /** Everything written so far. */
  output(): string
  /** Ends when the process does. */
  readonly exit: Promise<Exit>
}

/**
 * Runs an entry of the service as its own process, with this environment and no other; ended when
 * the test ends.
 */
export function runProcess(t: Test, entry: string, env: Record<string, string>): Running {
  const { PATH = '', NODE_OPTIONS = '', ...rest } = process.env
  // What tap sets is kept, so that the lines run there are counted.
  const tapEnvironment = Object.fromEntries(
    Object.entries(rest).filter(([name]) => /^_?TAP/.test(name)),
  )
  const child = spawn('node', [entry], { env: { PATH, NODE_OPTIONS, ...tapEnvironment, ...env } })
  const chunks: string[] = []
  child.stdout.on('data', chunk => chunks.push(String(chunk)))
  child.stderr.on('data', chunk => chunks.push(String(chunk)))
  const output = () => chunks.join('')
  const exit = once(child, 'close').then(([code]): Exit => ({
    code: code as number | null,
    output: output(),
  }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exit
  })
  return { child, output, exit }
}

/** Resolves as soon as the address answers. */
export async function answering(url: string): Promise<void> {
  for (;;) {
    const up = await fetch(url).then(
      () => true,
      () => false,
    )
    if (up) return
    await wait(10)
  }
}

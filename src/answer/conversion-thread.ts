import { Worker } from 'node:worker_threads'
import { ConnectorError } from '../errors.ts'
import type { AnswerFormat } from './answer.ts'

/** What the thread is asked. */
export interface ConversionRequest {
  readonly answer: string
  readonly format: AnswerFormat
}

/** What it says: the content, or that no JSON stands in the answer. */
export interface ConversionReply {
  readonly content?: string
}

/** The bounds of a thread. */
export interface ConversionThreadOptions {
  readonly deadlineMs: number
  readonly waitingBytes: number
  readonly heapMib: number
}

/** One thread that converts one answer after the other. */
export interface ConversionThread {
  /**
   * The content, or `undefined` when it took too long or too much memory.
   * @throws ConnectorError `AnswerNotJson`; `Overloaded` when too many bytes wait already
   */
  convert(answer: string, format: AnswerFormat): Promise<string | undefined>
  close(): Promise<void>
}

/** The module that the thread runs, from src and from dist. */
const module = new URL(
  import.meta.url.endsWith('.ts') ? './answer-worker.ts' : './answer-worker.js',
  import.meta.url,
)

const notJson = (why: string): ConnectorError =>
  new ConnectorError('AnswerNotJson', `Cannot read the answer as JSON: ${why}`)
const overloaded = (why: string): ConnectorError =>
  new ConnectorError('Overloaded', `Cannot convert the answer: ${why}`)

interface Job extends ConversionRequest {
  readonly resolve: (content: string | undefined) => void
  readonly reject: (error: ConnectorError) => void
}

/**
 * A thread for answers that would hold the event loop. It starts with the first of them and does
 * not keep the process alive. One that is over its deadline or its heap ends the thread, and the
 * next answer starts another.
 */
export function createConversionThread(options: ConversionThreadOptions): ConversionThread {
  const waiting: Job[] = []
  let bytes = 0
  let running: Job | undefined
  let worker: Worker | undefined
  let deadline: NodeJS.Timeout | undefined
  let isClosed = false

  /** Ends what runs, takes the next. */
  const settle = (end: (job: Job) => void): void => {
    clearTimeout(deadline)
    const job = running
    running = undefined
    if (job !== undefined) {
      bytes -= job.answer.length * 2
      end(job)
    }
    next()
  }
  /** No content: the caller shows the answer as it is, which is no JSON. */
  const giveUp = (job: Job): void => {
    if (job.format === 'json') job.reject(notJson('it takes too long or too much memory'))
    else job.resolve(undefined)
  }
  const start = (): Worker => {
    const started = new Worker(module, {
      resourceLimits: { maxOldGenerationSizeMb: options.heapMib, maxYoungGenerationSizeMb: 16 },
    })
    started.unref()
    started.on('message', ({ content }: ConversionReply) => {
      settle(({ resolve, reject }) => {
        if (content === undefined) reject(notJson('no JSON stands in it'))
        else resolve(content)
      })
    })
    // Out of memory, or a library that threw: what follows is 'exit'.
    started.on('error', () => undefined)
    started.on('exit', () => {
      if (worker !== started) return
      worker = undefined
      settle(giveUp)
    })
    return started
  }
  const next = (): void => {
    if (running !== undefined || isClosed) return
    running = waiting.shift()
    if (running === undefined) return
    const { answer, format } = running
    worker ??= start()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    worker.postMessage({ answer, format } satisfies ConversionRequest)
    deadline = setTimeout(() => {
      const late = worker
      worker = undefined
      void late?.terminate()
      settle(giveUp)
    }, options.deadlineMs)
  }

  return {
    convert(answer, format) {
      if (isClosed) return Promise.reject(overloaded('the service is stopping'))
      // One answer is always let in, however long it is: Graph bounds it.
      if (bytes > 0 && bytes + answer.length * 2 > options.waitingBytes)
        return Promise.reject(overloaded('too many answers are being converted'))
      bytes += answer.length * 2
      const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
      waiting.push({ answer, format, resolve, reject })
      next()
      return promise
    },
    async close() {
      isClosed = true
      clearTimeout(deadline)
      const ended = worker
      worker = undefined
      for (const job of [running, ...waiting.splice(0)])
        job?.reject(overloaded('the service is stopping'))
      running = undefined
      await ended?.terminate()
    },
  }
}

import { fstatSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import type { DestinationStream } from 'pino'

/** Where log lines go: they are written together, so that no call waits for whoever reads them. */
export interface LogOutput extends DestinationStream {
  write(line: string): void
  /** Hands over what is kept back, and resolves when it was taken, or after `ms`. */
  flush(ms: number): Promise<void>
}

/** Lines are written together, after so many characters or milliseconds. */
const batchCharacters = 4096
const batchMs = 100

/** Beyond so many bytes that nobody takes, lines are dropped: a log must not stop the service. */
const maxUnread = 16 * 1024 * 1024

export interface LogOutputOptions {
  /** @default 1, standard output */
  readonly fd?: number
  /** Hears of lines that were dropped. */
  onDropped(lines: number): void
}

/** A file or terminal, written by another thread; what it does not take is lost. */
function fileOutput(fd: number, onLost: () => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const from = (offset: number): void =>
        write(fd, chunk, offset, (error, written) => {
          if (error) onLost()
          if (error || offset + written >= chunk.length) done()
          else from(offset + written)
        })
      from(0)
    },
  })
}

/** A pipe or socket is written without blocking. */
function openOutput(fd: number, onLost: () => void): Writable {
  const kind = fstatSync(fd)
  if (!kind.isFIFO() && !kind.isSocket()) return fileOutput(fd, onLost)
  return new Socket({ fd, readable: false, writable: true }).on('error', onLost)
}

/**
 * Standard output for the log. A reader that stalls, a reader that is gone or a full disk neither
 * ends nor delays the service: lines are dropped then, and counted.
 */
export function logOutput({ fd = 1, onDropped }: LogOutputOptions): LogOutput {
  // The reader is gone, or the disk is full: what was on its way is lost.
  const output = openOutput(fd, () => onDropped(1))
  let lines: string[] = []
  let characters = 0
  let timer: NodeJS.Timeout | undefined
  function hand(): void {
    clearTimeout(timer)
    timer = undefined
    if (lines.length === 0) return
    const [text, count] = [lines.join(''), lines.length]
    lines = []
    characters = 0
    if (output.destroyed || output.writableLength + text.length > maxUnread) onDropped(count)
    else output.write(text)
  }

  // What was logged last, if whoever reads takes it at once: a process that exits waits for nobody.
  process.once('exit', () => {
    try {
      if (lines.length > 0) writeSync(fd, lines.join(''))
    } catch {
      // Nobody takes it.
    }
  })

  return {
    write(line) {
      lines.push(line)
      characters += line.length
      if (characters >= batchCharacters) hand()
      else timer ??= setTimeout(hand, batchMs).unref()
    },
    async flush(ms) {
      hand()
      if (output.destroyed) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const late = setTimeout(resolve, ms)
      output.write('', () => resolve())
      await promise
      clearTimeout(late)
    },
  }
}

import { parentPort } from 'node:worker_threads'
import { ConnectorError } from '../errors.ts'
import type { ConversionReply, ConversionRequest } from './conversion-thread.ts'
import { convert } from './convert.ts'

// The thread of conversion-thread.ts: a request in, a reply out, one after the other.

parentPort?.on('message', ({ answer, format }: ConversionRequest) => {
  let reply: ConversionReply = {}
  try {
    reply = { content: convert(answer, format) }
  } catch (error) {
    // Anything else ends the thread, and the answer stays as it is.
    if (!(error instanceof ConnectorError)) throw error
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  parentPort?.postMessage(reply)
})

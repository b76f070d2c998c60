import { createInterface } from 'node:readline/promises'

/** Asks a person at a terminal; an empty answer when the signal aborts first. */
export async function askPerson(
  question: string,
  streams: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
  signal: AbortSignal,
): Promise<string> {
  const terminal = createInterface(streams)
  try {
    return await terminal.question(question, { signal })
  } catch {
    return ''
  } finally {
    terminal.close()
  }
}

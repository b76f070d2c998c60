import { createHash } from 'node:crypto'

/** What an answer may draw on. */
export interface Asked {
  readonly content: string
  /** The prompt's place in its session, from 1. */
  readonly place: number
  readonly resultType: string
  /** Pads or cuts the answer to this many characters. */
  readonly length?: number | undefined
}

/** First words of every simulated answer. */
export const simulatedNote = 'SIMULATED ANSWER: no AI was called.'

const maxQuoteLength = 120

/** Why an evaluation ended without success, in the place where Graph is expected to put it. */
const reasons: Readonly<Record<string, string>> = {
  error: 'The skill failed.',
  rejected: 'The request was refused.',
  timedOut: 'The evaluation took longer than the service allows.',
  capacityExceeded: 'The security compute units of the workspace are used up.',
  needAdditionalClaims: 'A plugin needs a stronger sign-in.',
}

/**
 * An answer that is plainly simulated and differs for each prompt; the same prompt is answered the
 * same. Pure.
 */
export function simulatedAnswer({ content, place, resultType, length }: Asked): string {
  const fingerprint = createHash('sha256').update(content).digest('hex').slice(0, 12)
  const quote = content.trim().replace(/\s+/g, ' ').slice(0, maxQuoteLength)
  const lines = [
    simulatedNote,
    ...(resultType === 'success'
      ? []
      : [reasons[resultType] ?? `The result type is "${resultType}".`]),
    `Prompt ${place} of its session, ${content.length} characters, fingerprint ${fingerprint}: "${quote}"`,
  ]
  const text = `${lines.join('\n')}\n`
  return length === undefined
    ? text
    : text.padEnd(length, 'All work and no play. ').slice(0, length)
}

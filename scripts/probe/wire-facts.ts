import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'
import type { Seen } from './ask.ts'

/** What the headers of all answers show. Pure. */
export function headerFacts(answers: readonly Seen[]): Partial<Facts> {
  if (answers.length === 0) return {}
  const encodings = (gzip: boolean) =>
    answers
      .filter(seen => seen.gzip === gzip)
      .map(({ headers }) => headers['content-encoding'])
      .filter(encoding => encoding !== undefined && encoding !== 'identity')
  const all = [...encodings(true), ...encodings(false)]
  const other = all.some(encoding => encoding !== 'gzip')
  const encoding = encodings(false).length > 0 ? 'always' : all.length > 0 ? 'asked' : 'never'
  const throttled = answers.filter(({ retryAfter }) => retryAfter !== undefined)
  return {
    headers: {
      requestId: answers.every(({ headers }) => 'request-id' in headers),
      echoesRequestId: answers.every(
        ({ headers, sentId }) => headers['client-request-id'] === sentId,
      ),
      encoding: other ? 'other' : encoding,
      ...(throttled.length > 0 && {
        retryAfter: throttled.every(({ retryAfter }) => retryAfter === true),
      }),
    },
  }
}

/** How long calls took. Pure. */
export function latencyFacts(answers: readonly Seen[]): Partial<Facts> {
  const sorted = answers.map(({ ms }) => ms).toSorted((a, b) => a - b)
  const medianMs = sorted[Math.floor(sorted.length / 2)]
  const slowestMs = sorted.at(-1)
  return medianMs === undefined || slowestMs === undefined
    ? {}
    : { latency: { medianMs, slowestMs } }
}

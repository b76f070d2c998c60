import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'

type Decode = (bytes: Buffer, limits: { maxOutputLength: number }) => Promise<Buffer>

const zlibInflate: Decode = promisify(inflate)
const rawInflate: Decode = promisify(inflateRaw)

/** Some servers send `deflate` without zlib's header. */
const anyInflate: Decode = (bytes, limits) =>
  zlibInflate(bytes, limits).catch((error: { code?: string }) => {
    if (error.code === 'ERR_BUFFER_TOO_LARGE') throw error
    return rawInflate(bytes, limits)
  })

const decoders = new Map<string, Decode>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', anyInflate],
  ['br', promisify(brotliDecompress)],
])

/**
 * The bytes of a response by its `Content-Encoding`; `undefined` when they are more than
 * `maxBytes`, or cannot be read.
 */
export async function decode(
  bytes: Buffer,
  encoding: string | undefined,
  maxBytes: number,
): Promise<Buffer | undefined> {
  let decoded = bytes
  const codings = (encoding ?? '').split(',').map(coding => coding.trim().toLowerCase())
  for (const coding of codings.filter(name => name !== '' && name !== 'identity').toReversed()) {
    const decoder = decoders.get(coding)
    if (!decoder) return undefined
    try {
      decoded = await decoder(decoded, { maxOutputLength: maxBytes })
    } catch {
      return undefined
    }
  }
  return decoded
}

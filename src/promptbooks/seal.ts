import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'

// What a run still has to ask is kept sealed. Its key is not kept anywhere: the second half of the
// run's id gives it, which only the run's URL and the caller's own key know.

/** A run as its URL names it. */
export interface RunId {
  /** What stands in the URL: 64 characters of base64url, opaque; never logged, never stored. */
  readonly runId: string
  /** What the store knows the run by: 22 characters of base64url. */
  readonly storeId: string
  /** Opens what is sealed; shows nothing of itself when printed. */
  readonly key: KeyObject
}

/** What seals and opens: a RunId, or what parseRunId() gives. */
export type RunKey = Pick<RunId, 'storeId' | 'key'>

/** So many random bytes, unpredictable. */
export type RandomBytes = (size: number) => Uint8Array

const storeIdBytes = 16
const secretBytes = 32
const idBytes = storeIdBytes + secretBytes
const nonceBytes = 12
const tagBytes = 16
/** The form of a sealed text: AES-256-GCM, and then nonce, tag, text. */
const version = 1
const cipher = 'aes-256-gcm'

const derive = (secret: Uint8Array | string, salt: string, use: string, size: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, `security-copilot-connector ${use}`, size))

/** 48 bytes as a run: the first 16 are public, the other 32 are the secret. */
function fromBytes(bytes: Uint8Array): RunId {
  const id = Buffer.from(bytes)
  const storeId = id.subarray(0, storeIdBytes).toString('base64url')
  const key = derive(id.subarray(storeIdBytes), storeId, 'promptbook run: seal', secretBytes)
  return { runId: id.toString('base64url'), storeId, key: createSecretKey(key) }
}

/** A run that nobody can name but who is told. */
export const createRunId = (random: RandomBytes = randomBytes): RunId => fromBytes(random(idBytes))

/**
 * The run of a caller's key: the same connection and key always give the same one. Who reads the
 * store knows the storeId and hashes of the key, not the key itself, and has to guess it: the
 * secret is as hard to find as the key that the caller chose, so a GUID is safe and `1` is not.
 */
export const runIdFrom = (connectionKey: string, ...key: readonly string[]): RunId =>
  fromBytes(derive(JSON.stringify([connectionKey, ...key]), '', 'promptbook run: id', idBytes))

/** What the id in a URL says; undefined when it is none of ours. Never throws. */
export function parseRunId(runId: string): RunKey | undefined {
  if (!/^[A-Za-z0-9_-]{64}$/.test(runId)) return undefined
  const { storeId, key } = fromBytes(Buffer.from(runId, 'base64url'))
  return { storeId, key }
}

/** Seals a text for a run, each time another way. The sealed text is base64url. */
export function seal(
  text: string,
  { storeId, key }: RunKey,
  random: RandomBytes = randomBytes,
): string {
  const nonce = random(nonceBytes)
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  sealing.setAAD(Buffer.from(storeId))
  const sealed = Buffer.concat([sealing.update(text, 'utf8'), sealing.final()])
  return Buffer.concat([Buffer.of(version), nonce, sealing.getAuthTag(), sealed]).toString(
    'base64url',
  )
}

/** Opens what was sealed for this run; undefined for anything else, or altered. Never throws. */
export function unseal(sealed: string, { storeId, key }: RunKey): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url')
  const textAt = 1 + nonceBytes + tagBytes
  // Buffer reads base64url leniently: only one spelling of a sealed text is one.
  if (bytes[0] !== version || bytes.length < textAt || bytes.toString('base64url') !== sealed)
    return undefined
  try {
    const nonce = bytes.subarray(1, 1 + nonceBytes)
    const opening = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
    opening.setAAD(Buffer.from(storeId))
    opening.setAuthTag(bytes.subarray(1 + nonceBytes, textAt))
    return Buffer.concat([opening.update(bytes.subarray(textAt)), opening.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

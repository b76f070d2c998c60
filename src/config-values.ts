import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

/** A value in quotes: a file of variables was read by something that leaves them there. */
const quoted = /^(["'`]).*\1$/s

/** What App Service and Container Apps leave when a secret of a vault cannot be read. */
const vaultReference = /^@Microsoft\.KeyVault\(/i

/** What is wrong with a value whatever its variable is; undefined when nothing is. */
export function valueProblem(value: string): string | undefined {
  if (quoted.test(value)) return 'must not be in quotes: take them away'
  if (vaultReference.test(value)) {
    return (
      'is a vault reference that was not resolved: the identity of the app must be allowed to read ' +
      'the secret, and the name and version must be right'
    )
  }
  return undefined
}

const graphAudiences = new Set([
  'https://graph.microsoft.com',
  '00000003-0000-0000-c000-000000000000',
])

/** Whether an audience is Microsoft Graph: a token for Graph is not one for this API. */
export const isGraphAudience = (audience: string): boolean =>
  graphAudiences.has(audience.toLowerCase().replace(/\/+$/, ''))

/** How a PFX becomes what is needed. */
const convert =
  'convert it with "openssl pkcs12 -in FILE.pfx -out FILE.pem -nodes" (add -legacy for an old one)'

/** A PFX is DER: a sequence of more than 127 bytes, whose first member is the version 3. */
const isPfx = (bytes: Buffer): boolean =>
  bytes[0] === 0x30 && bytes.subarray(0, 12).includes(Buffer.from([2, 1, 3]))

/** The first block of a PEM file whose label ends so. */
const block = (pem: string, label: string): string | undefined =>
  new RegExp(`-----BEGIN (?:[A-Z0-9 ]* )?${label}-----[^]+?-----END [A-Z0-9 ]*-----`).exec(pem)?.[0]

/**
 * What is wrong with the file of a certificate: it must be PEM and hold the certificate and its own
 * private key, without a pass phrase. Undefined when nothing is.
 */
export function certificateProblem(path: string): string | undefined {
  let bytes: Buffer
  try {
    if (statSync(path).isDirectory()) return 'names a folder, not a file'
    bytes = readFileSync(path)
  } catch {
    return 'names a file that cannot be read'
  }
  if (isPfx(bytes)) return `names a PFX file, but PEM is needed: ${convert}`
  const pem = bytes.toString('latin1')
  const certificate = block(pem, 'CERTIFICATE')
  const key = block(pem, 'PRIVATE KEY')
  if (!certificate) return 'names a file without a certificate in PEM'
  if (!key) return 'names a file without the private key of its certificate'
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
      return 'names a file whose private key is not that of its first certificate'
    }
  } catch {
    return 'names a file whose certificate or private key cannot be read; a key must have no pass phrase'
  }
  return undefined
}

import { randomUUID } from 'node:crypto'
import { generate } from 'selfsigned'

/** A certificate for localhost and the authority to trust for it, both made anew. All PEM. */
export interface LocalCertificate {
  readonly authority: string
  readonly key: string
  readonly certificate: string
}

/** Makes a certificate authority and a certificate of it for localhost. */
export async function localCertificate(): Promise<LocalCertificate> {
  const kind = { keyType: 'ec', algorithm: 'sha256' } as const
  // A name of its own: of two trusted authorities with one name, TLS tries only one.
  const name = `Simulated authority ${randomUUID()}`
  const authority = await generate([{ name: 'commonName', value: name }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const leaf = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...kind,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  return { authority: authority.cert, key: leaf.private, certificate: leaf.cert }
}

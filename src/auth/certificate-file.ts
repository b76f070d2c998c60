import { createPrivateKey, X509Certificate } from 'node:crypto'

/** What is wrong with a PEM file of a certificate with its key; `undefined` when nothing is. Pure. */
export function certificateProblem(pem: string): string | undefined {
  try {
    return new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))
      ? undefined
      : 'must name a PEM file whose key is that of its certificate'
  } catch {
    return 'must name a PEM file with a certificate and its private key; turn a PFX into PEM first'
  }
}

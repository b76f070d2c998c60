import { hash } from 'node:crypto'

/**
 * A SHA-256 in base64url: of one part as it is, of several as a JSON array, so that none can run
 * into the next.
 */
export function hashOf(first: string, ...more: readonly string[]): string {
  return hash('sha256', more.length === 0 ? first : JSON.stringify([first, ...more]), 'base64url')
}

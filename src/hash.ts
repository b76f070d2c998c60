import { hash } from 'node:crypto'

/** A SHA-256 in base64url over parts; as a JSON array, so that none can run into the next. */
export const hashOf = (...parts: readonly string[]): string => hash('sha256', JSON.stringify(parts), 'base64url')

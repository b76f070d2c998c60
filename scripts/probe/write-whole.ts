import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file so that it is there whole or not at all: beside it first, then renamed. */
export function writeWhole(path: string, text: string): void {
  const beside = `${path}.tmp`
  writeFileSync(beside, text, { mode: 0o600 })
  renameSync(beside, path)
}

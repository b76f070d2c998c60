import { readFileSync } from 'node:fs'

/** The connector's icon, PNG: the file that is uploaded with it. */
export const icon = readFileSync(new URL('../../icon.png', import.meta.url))

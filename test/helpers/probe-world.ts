import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { probe, type ProbeOptions } from '../../scripts/probe/probe.ts'
import type { Report } from '../../scripts/probe/report.ts'
import { createSessionJournal } from '../../scripts/probe/session-journal.ts'
import { world, type World, type WorldOptions } from './world.ts'

export const readAll = 'SecurityCopilotWorkspaces.Read.All'
export const writeAll = 'SecurityCopilotWorkspaces.ReadWrite.All'

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as Entra writes them, with these scopes; nothing verifies its signature. */
export const tokenOf = (scopes: readonly string[], claims: object = {}): string =>
  [
    part({ alg: 'RS256', typ: 'JWT' }),
    part({ aud: 'https://graph.microsoft.com', ver: '1.0', scp: scopes.join(' '), ...claims }),
    'signature',
  ].join('.')

/** Whom such a token stands for. */
export function authorise(token: string) {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return { owner: 'alice', scopes: String(claims.scp).split(' ') }
  } catch {
    return token.startsWith('token-of-')
      ? { owner: token.slice('token-of-'.length), scopes: [readAll, writeAll] }
      : undefined
  }
}

/** A service and a simulator that take such tokens. */
export const probeWorld = (t: Test, { simulator, ...options }: WorldOptions = {}): Promise<World> =>
  world(t, { ...options, simulator: { authorise, ...simulator } })

let root: string | undefined

/** A new folder, gone when the process ends. */
export function folder(): string {
  if (root === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'probe-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    root = made
  }
  return mkdtempSync(join(root, 'run-'))
}

/** A probe of this world, with both permissions and all evaluations unless said otherwise. */
export function probing(w: World, more: Partial<ProbeOptions> = {}): Promise<Report> {
  return probe({
    service: { url: w.url, caller: { kind: 'user', token: tokenOf([], { aud: 'api' }) } },
    graph: { url: w.graphUrl, token: tokenOf([readAll, writeAll]) },
    workspace: 'default',
    evaluations: 4,
    clock: w.clock,
    signal: new AbortController().signal,
    journal: createSessionJournal(join(folder(), 'probe-sessions.json'), '2026-01-05'),
    proxied: false,
    ...more,
  })
}

/** Keys of the rows that differ. */
export const differing = ({ rows }: Report): string[] =>
  rows.filter(({ so }) => so === 'differs').map(({ key }) => key)

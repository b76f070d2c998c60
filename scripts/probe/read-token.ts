import { decodeJwt } from 'jose'
import { plainName, type TokenFacts } from '../../src/sandbox/graph/facts-schema.ts'

/** What tokens for Microsoft Graph name as their audience. */
const graphAudiences = new Set<unknown>([
  'https://graph.microsoft.com',
  'https://graph.microsoft.com/',
  '00000003-0000-0000-c000-000000000000',
])

const read = 'SecurityCopilotWorkspaces.Read.All'
const write = 'SecurityCopilotWorkspaces.ReadWrite.All'

const opaque: TokenFacts = {
  kind: 'opaque',
  audience: 'unknown',
  version: 'unknown',
  expired: false,
  read: false,
  write: false,
  claims: [],
}

/**
 * What a token says of itself, without its values. Nothing is verified: that is for the one it is
 * sent to. `now` in ms. Pure.
 */
export function readToken(token: string, now: number): TokenFacts {
  try {
    const claims = decodeJwt(token)
    const { scp, roles, aud, ver, exp, idtyp } = claims
    const application = idtyp === 'app' || typeof scp !== 'string'
    const granted = application ? (Array.isArray(roles) ? roles : []) : scp.split(' ')
    return {
      kind: application ? 'application' : 'delegated',
      audience: graphAudiences.has(aud) ? 'graph' : 'other',
      version: ver === '1.0' ? 'v1' : ver === '2.0' ? 'v2' : 'unknown',
      expired: exp !== undefined && exp * 1000 <= now,
      read: granted.includes(read),
      write: granted.includes(write),
      claims: Object.keys(claims)
        .filter(name => plainName.test(name))
        .slice(0, 100)
        .toSorted(),
    }
  } catch {
    return opaque
  }
}

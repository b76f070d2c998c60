import { decodeProtectedHeader, decodeJwt } from 'jose'
import { z } from 'zod'
import { ConnectorError } from '../errors.ts'
import { invalidToken } from './credentials.ts'

/** Entra issues access tokens of two versions; each has its own issuer and its own keys. */
export type TokenVersion = 'v1' | 'v2'

/** What a token claims about its origin, before its signature is checked. */
export interface ClaimedOrigin {
  readonly tenantId: string
  readonly version: TokenVersion
  readonly issuer: string
  readonly keyId: string
}

/**
 * Header members that bring or name a key, or change the rules: a token that has one is no access
 * token of Entra's.
 */
const refusedMembers = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64']

const header = z
  .looseObject({ alg: z.literal('RS256'), kid: z.string().min(1).max(200) })
  .refine(members => !refusedMembers.some(name => name in members))

const origin = z.object({ iss: z.string(), tid: z.guid() })

/** Base64url as RFC 7515 writes it: without padding, white space or loose bits at the end. */
const isStrictBase64url = (text: string): boolean =>
  /^[A-Za-z0-9_-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text

/** Parses a part of the token, or refuses the token: the parser's own message goes no further. */
function read<Schema extends z.ZodType>(
  decode: () => unknown,
  schema: Schema,
  why: string,
): z.output<Schema> {
  try {
    return schema.parse(decode())
  } catch {
    throw invalidToken(why)
  }
}

/** The issuers of a tenant. v1 tokens name Entra's older host, whatever the authority. */
const issuersOf = (tenantId: string, authority: string): ReadonlyMap<string, TokenVersion> =>
  new Map([
    [`https://sts.windows.net/${tenantId}/`, 'v1'],
    [`${authority}/${tenantId}/v2.0`, 'v2'],
  ])

/**
 * The cheap checks, before any key is fetched: shape, algorithm, header, and the issuer's
 * tenant. Pure.
 * @throws ConnectorError `InvalidToken`, `TenantNotAllowed`
 */
export function readClaimedOrigin(
  token: string,
  authority: string,
  allowedTenants: readonly string[],
): ClaimedOrigin {
  const parts = token.split('.', 4)
  if (parts.length !== 3 || !parts.every(isStrictBase64url))
    throw invalidToken('it is not a signed JWT')
  const { kid } = read(
    () => decodeProtectedHeader(token),
    header,
    'its header is not that of an Entra access token',
  )
  const { iss, tid } = read(
    () => decodeJwt(token),
    origin,
    'it does not name its tenant and issuer',
  )
  const tenantId = tid.toLowerCase()
  const version = issuersOf(tid, authority).get(iss)
  if (version === undefined) throw invalidToken('its issuer is not Entra, or not of its tenant')
  if (!allowedTenants.some(allowed => allowed.toLowerCase() === tenantId)) {
    throw new ConnectorError(
      'TenantNotAllowed',
      'Cannot accept the bearer token: its tenant may not call this service',
    )
  }
  return { tenantId, version, issuer: iss, keyId: kid }
}

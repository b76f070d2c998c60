import { z } from 'zod'
import { ConnectorError, type ErrorDetail, type InnerFacts } from '../errors.ts'
import { claimsExchangeAudience } from './exchange-audience.ts'

/** What a caller sends to say who it is (docs/api.md#41-connection-types). */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'servicePrincipal'; readonly principal: ServicePrincipal }
  | { readonly kind: 'clientAssertion'; readonly app: AssertingApp }

/** The seed's Tenant, Client ID and Client Secret. */
export interface ServicePrincipal {
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
}

/** An app that a managed identity's token stands in for, in the place of its secret. */
export interface AssertingApp {
  readonly tenantId: string
  readonly clientId: string
  readonly assertion: string
}

const guid = z.guid('must be a GUID')

const appHeaders = { 'x-entra-tenant-id': guid, 'x-entra-client-id': guid }

const principalHeaders = {
  ...appHeaders,
  'x-entra-client-secret': z
    .string()
    .regex(/^[\x20-\x7e]{1,1024}$/, 'must be at most 1,024 ASCII characters'),
}

const credentialHeaders = new Set(['authorization', ...Object.keys(principalHeaders)])

type HeaderValues = ReadonlyMap<string, readonly string[]>

/**
 * The values of the headers that carry credentials, each as often as it was sent (Node's `headers`
 * hides a second Authorization), without empty ones: a connector's policies send `x-entra-*` empty
 * for an `Oauth` connection.
 */
function credentialValues(rawHeaders: readonly string[]): HeaderValues {
  const values = new Map<string, string[]>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = String(rawHeaders[at]).toLowerCase()
    const value = String(rawHeaders[at + 1])
    if (value !== '' && credentialHeaders.has(name))
      values.set(name, [...(values.get(name) ?? []), value])
  }
  return values
}

const refuse = (details: readonly ErrorDetail[]): ConnectorError =>
  new ConnectorError(
    'InvalidRequest',
    `Cannot tell who calls: ${details.map(({ message }) => message).join('; ')}`,
    {
      details,
    },
  )

const problem = (
  target: string,
  reason: string,
  code: ErrorDetail['code'] = 'InvalidValue',
): ErrorDetail => ({
  code,
  message: `${target} ${reason}`,
  target,
})

/** The headers of `schemas`, in their order; one that is missing, wrong or sent twice is named. */
function readHeaders(headers: HeaderValues, schemas: Readonly<Record<string, z.ZodType<string>>>) {
  const problems: ErrorDetail[] = []
  const read = Object.entries(schemas).map(([name, schema]) => {
    const [value, ...more] = headers.get(name) ?? []
    if (value === undefined)
      problems.push(problem(name, 'is required beside the other x-entra headers', 'Required'))
    else if (more.length > 0) problems.push(problem(name, 'is sent more than once'))
    const parsed = schema.safeParse(value)
    if (!parsed.success && value !== undefined)
      problems.push(problem(name, String(parsed.error.issues[0]?.message)))
    return parsed.data ?? ''
  })
  if (problems.length > 0) throw refuse(problems)
  return read
}

function readPrincipal(headers: HeaderValues): ServicePrincipal {
  const [tenantId = '', clientId = '', clientSecret = ''] = readHeaders(headers, principalHeaders)
  return { tenantId: tenantId.toLowerCase(), clientId: clientId.toLowerCase(), clientSecret }
}

/** A bearer token beside `x-entra-*` headers: nothing but an assertion may come so. */
function readAssertingApp(headers: HeaderValues, token: string | undefined): AssertingApp {
  if (token === undefined || !claimsExchangeAudience(token)) {
    throw refuse([
      problem('authorization', 'must not come with x-entra headers: send one or the other'),
    ])
  }
  if (headers.has('x-entra-client-secret')) {
    throw refuse([
      problem('x-entra-client-secret', 'must not come with an assertion: send one or the other'),
    ])
  }
  const [tenantId = '', clientId = ''] = readHeaders(headers, appHeaders)
  return { tenantId: tenantId.toLowerCase(), clientId: clientId.toLowerCase(), assertion: token }
}

/** The 401 of a token that is not accepted. */
export const invalidToken = (why: string, inner: InnerFacts = {}): ConnectorError =>
  new ConnectorError(
    'InvalidToken',
    `Cannot accept the bearer token: ${why}`,
    { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
    inner,
  )

/** The 401 of an app that does not prove to be the one it says. */
export const invalidClientCredentials = (
  why = 'Entra does not accept its tenant, client id and secret',
  inner: InnerFacts = {},
): ConnectorError =>
  new ConnectorError(
    'InvalidClientCredentials',
    `Cannot accept the service principal: ${why}`,
    { headers: { 'www-authenticate': 'Bearer' } },
    inner,
  )

/** The 401 of a request that says nothing usable about who calls. */
export const authenticationRequired = (): ConnectorError =>
  new ConnectorError(
    'AuthenticationRequired',
    'Cannot accept the call: it carries no bearer token',
    {
      headers: { 'www-authenticate': 'Bearer' },
    },
  )

/**
 * Reads who a caller says it is, from a request's names and values as they came. Pure; nothing is
 * verified yet.
 * @throws ConnectorError `InvalidRequest` for a mixture or a part of the `x-entra-*` headers,
 *   `InvalidToken` for more than one `Authorization`, `AuthenticationRequired` for one that is no
 *   bearer token.
 */
export function readCredentials(rawHeaders: readonly string[]): Credentials {
  const headers = credentialValues(rawHeaders)
  const [authorization, ...more] = headers.get('authorization') ?? []
  const asPrincipal = Object.keys(principalHeaders).some(name => headers.has(name))
  if (authorization === undefined) {
    return asPrincipal
      ? { kind: 'servicePrincipal', principal: readPrincipal(headers) }
      : { kind: 'none' }
  }
  const token = /^Bearer (.*)$/i.exec(authorization)?.[1]
  if (asPrincipal) {
    const app = readAssertingApp(headers, more.length > 0 ? undefined : token)
    return { kind: 'clientAssertion', app }
  }
  if (more.length > 0) throw invalidToken('the Authorization header is sent more than once')
  if (token === undefined) throw authenticationRequired()
  return { kind: 'bearer', token }
}

import { ConnectorError } from '../errors.ts'
import { invalidClientCredentials } from './credentials.ts'

/** By which grant a token was asked for: on behalf of a user, or as a service principal. */
export type Grant = 'onBehalfOf' | 'servicePrincipal'

/** What @azure/identity throws: Entra's response is its cause, told apart by these members. */
interface EntraFailure {
  readonly message?: string
  /** OAuth's error, or MSAL's own code when no response came. */
  readonly errorCode?: string
  /** The AADSTS number: a string by its type, a number in fact. */
  readonly errorNo?: string | number
  /** JSON of a claims challenge. */
  readonly claims?: string
}

/**
 * Entra's own troubles, beside `temporarily_unavailable`:
 * learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
const transientNumbers = new Set(['90033', '90055', '90024', '90051', '90090'])

/** The setting to look at, by AADSTS number, when Entra refuses this API's own registration. */
const settings: Readonly<Record<string, string>> = {
  '65001': 'consent is missing: grant admin consent for the Graph permissions of this API',
  '700016': 'ENTRA_CLIENT_ID: the tenant has no such app',
  '700027': 'ENTRA_CLIENT_CERTIFICATE_PATH: Entra does not know this certificate',
  '7000215': 'ENTRA_CLIENT_SECRET: wrong value',
  '7000222': 'ENTRA_CLIENT_SECRET: expired',
  '90002': 'ENTRA_TENANT_ID or the caller’s tenant: Entra has no such tenant',
}

const asFailure = (error: unknown): EntraFailure => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause : {}
}

/** The AADSTS number alone: Entra's descriptions name users, apps and addresses. */
const aadstsOf = ({ errorNo, message }: EntraFailure): string | undefined =>
  errorNo ? String(errorNo) : /AADSTS(\d+)/.exec(message ?? '')?.[1]

const unavailable = (cause: Error): ConnectorError =>
  new ConnectorError(
    'EntraUnavailable',
    'Cannot get a token for Graph: Entra does not answer',
    {},
    { cause },
  )

function insufficientClaims(claims: string | undefined): ConnectorError {
  const challenge = claims ? `, claims="${Buffer.from(claims).toString('base64')}"` : ''
  return new ConnectorError(
    'InsufficientClaims',
    'Cannot get a token for Graph: Conditional Access asks for more; sign in again with the claims given',
    { headers: { 'www-authenticate': `Bearer error="insufficient_claims"${challenge}` } },
  )
}

/**
 * Translates what @azure/identity threw into a row of our catalogue
 * (docs/api.md#45-tokens-for-graph): the caller's fault 401, this API's registration 500, Entra's
 * trouble 503. Nothing of Entra's text is kept but the AADSTS number. Pure.
 */
export function entraError(error: unknown, grant: Grant): ConnectorError {
  const failure = asFailure(error)
  const { errorCode = '', claims } = failure
  const aadsts = aadstsOf(failure)
  const what = new Error(`AADSTS${aadsts ?? ' unknown'} ${errorCode}`.trim())

  if (claims || errorCode === 'interaction_required') return insufficientClaims(claims)
  const refused = aadsts !== undefined || /^(invalid_|unauthorized_|access_denied)/.test(errorCode)
  if (!refused || transientNumbers.has(aadsts ?? '') || errorCode === 'temporarily_unavailable') {
    return unavailable(what)
  }
  if (grant === 'servicePrincipal') {
    return invalidClientCredentials()
  }
  if (errorCode === 'invalid_grant' && aadsts !== '65001') {
    return new ConnectorError(
      'InvalidToken',
      'Cannot accept the bearer token: Entra does not accept it, sign in again',
      {
        headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
      },
    )
  }
  return new ConnectorError(
    'EntraMisconfigured',
    'Cannot get a token for Graph: Entra refuses this service’s registration',
    {},
    {
      cause: new Error(
        `${what.message}: ${settings[aadsts ?? ''] ?? 'see the app registration of ENTRA_CLIENT_ID'}`,
      ),
    },
  )
}

import { ConnectorError, type InnerFacts } from '../errors.ts'
import { invalidClientCredentials, invalidToken } from './credentials.ts'
import { entraNumbers, type Whose } from './entra-numbers.ts'

/**
 * By which grant a token was asked for: on behalf of a user, or as an app, by its secret or by an
 * assertion.
 */
export type Grant = 'onBehalfOf' | 'servicePrincipal' | 'clientAssertion'

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

const asFailure = (error: unknown): EntraFailure => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return cause instanceof Error ? cause : {}
}

/** The AADSTS number alone: Entra's descriptions name users, apps and addresses. */
const aadstsOf = ({ errorNo, message }: EntraFailure): string | undefined =>
  /^\d+$/.exec(String(errorNo))?.[0] ?? /AADSTS(\d+)/.exec(message ?? '')?.[1]

function insufficientClaims(claims: string | undefined, inner: InnerFacts): ConnectorError {
  const challenge = claims ? `, claims="${Buffer.from(claims).toString('base64')}"` : ''
  return new ConnectorError(
    'InsufficientClaims',
    'Cannot get a token for Graph: Conditional Access asks for more; sign in again with the claims given',
    { headers: { 'www-authenticate': `Bearer error="insufficient_claims"${challenge}` } },
    inner,
  )
}

/** The 500 of a registration or credential of this API that Entra does not take. */
export const entraMisconfigured = (cause: Error, aadsts?: string): ConnectorError =>
  new ConnectorError(
    'EntraMisconfigured',
    'Cannot get a token for Graph: Entra refuses this service’s registration',
    {},
    { aadsts, cause },
  )

/** Whose fault a refusal is: by its number, else by OAuth's error. */
function whoseFault({ errorCode = '', claims }: EntraFailure, aadsts: string | undefined): Whose {
  const known = entraNumbers.get(aadsts ?? '')
  if (errorCode === 'temporarily_unavailable' || errorCode === 'server_error') return 'outage'
  if (known) return known.whose
  if (aadsts === undefined && !/^(invalid_|unauthorized_|access_denied)/.test(errorCode))
    return claims || errorCode === 'interaction_required' ? 'caller' : 'outage'
  return errorCode === 'invalid_grant' || errorCode === 'interaction_required'
    ? 'caller'
    : 'registration'
}

/**
 * Translates what @azure/identity threw into a row of our catalogue
 * (docs/api.md#45-tokens-for-graph): the caller's fault 401, this API's registration 500, what only
 * an administrator can lift 403, Entra's trouble 503. Nothing of Entra's text is kept but the
 * AADSTS number. Pure.
 * @param facts what else the log should know of a refusal of this API's registration.
 */
export function entraError(error: unknown, grant: Grant, facts = ''): ConnectorError {
  const failure = asFailure(error)
  const { errorCode = '', claims } = failure
  const aadsts = aadstsOf(failure)
  const what = `AADSTS${aadsts ?? ' unknown'} ${errorCode}`.trim()
  const wayOut = entraNumbers.get(aadsts ?? '')?.wayOut ?? 'see the registration of ENTRA_CLIENT_ID'
  const inner = { aadsts, cause: new Error(what) }

  const whose = whoseFault(failure, aadsts)
  if (claims) return insufficientClaims(claims, inner)
  if (whose === 'outage') {
    return new ConnectorError(
      'EntraUnavailable',
      'Cannot get a token for Graph: Entra does not answer',
      {},
      inner,
    )
  }
  if (whose === 'administrator') {
    return new ConnectorError(
      'AccessBlocked',
      'Cannot get a token for Graph: a policy of the tenant blocks the caller; an administrator can lift it',
      {},
      inner,
    )
  }
  if (whose === 'caller' && errorCode === 'interaction_required')
    return insufficientClaims(undefined, inner)
  if (grant === 'servicePrincipal') return invalidClientCredentials(undefined, inner)
  if (grant === 'clientAssertion') {
    return invalidClientCredentials(
      'Entra does not accept its tenant and client id with this assertion; has the app a federated credential for the identity?',
      inner,
    )
  }
  if (whose === 'caller') {
    return invalidToken('Entra does not accept it, sign in again', inner)
  }
  return entraMisconfigured(new Error(`${what}: ${wayOut}${facts}`), aadsts)
}

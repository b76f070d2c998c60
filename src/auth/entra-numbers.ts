/** Who can mend what Entra refuses on behalf of a user. */
export type Whose = 'caller' | 'registration' | 'administrator' | 'outage'

/** What an AADSTS number means here. */
export interface EntraNumber {
  readonly whose: Whose
  /** The way out, for whoever reads the log. */
  readonly wayOut: string
}

const consent = 'consent is missing: grant admin consent for the Graph permissions of this API'
const conditionalAccess =
  'Conditional Access blocks it: an administrator finds the policy in the sign-in log'
const device = 'Conditional Access wants a device that this user does not have'
const guest = 'the user has no place in this tenant: invite the user, or allow the tenant'
const federated =
  'ENTRA_CLIENT_ASSERTION: no federated credential of this API has this issuer, subject and audience'
const transient = 'nothing to do: Entra is busy, callers try again'

/**
 * Entra's refusals by AADSTS number, as docs/connections.md#what-entra-says-by-number lists them;
 * meanings from learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export const entraNumbers: ReadonlyMap<string, EntraNumber> = new Map(
  Object.entries({
    caller: {
      50013: 'the token is not for this API’s registration, or its key is gone: sign in again',
      50027: 'the token is not valid: sign in again',
      50034: 'Entra knows no such user',
      50053: 'the account is locked: wait, or have it unlocked',
      50055: 'the password has expired: sign in and change it',
      50057: 'the account is disabled',
      50132: 'the session is not valid any more: sign in again',
      50133: 'the session is not valid any more: sign in again',
      50173: 'the sign-in was revoked: sign in again',
      70043: 'the sign-in is too old for Conditional Access: sign in again',
      500133: 'the token has expired: sign in again',
      700082: 'the sign-in has expired: sign in again',
    },
    registration: {
      50048: 'ENTRA_CLIENT_ASSERTION: its subject and issuer are not those of an app',
      50049: 'ENTRA_AUTHORITY: Entra knows no such instance',
      50194: 'ENTRA_ALLOWED_TENANTS: the app of ENTRA_CLIENT_ID is for its own tenant alone',
      65001: consent,
      65005: 'the API permissions of ENTRA_CLIENT_ID lack Microsoft Graph',
      70011: 'the two Graph permissions are not known here: is ENTRA_AUTHORITY the right cloud?',
      70021: federated,
      90002: 'ENTRA_TENANT_ID or the caller’s tenant: Entra has no such tenant',
      90009: 'users sign in to ENTRA_CLIENT_ID itself: register a client app of its own',
      90094: consent,
      500011: 'Microsoft Graph is not known in the tenant: is ENTRA_AUTHORITY the right cloud?',
      500131: 'ENTRA_CLIENT_ID, ENTRA_AUDIENCE: the token was issued for another registration',
      650052: consent,
      650056: 'the API permissions of ENTRA_CLIENT_ID are not right, or lack admin consent',
      650057: 'the API permissions of ENTRA_CLIENT_ID lack Microsoft Graph',
      700016: 'ENTRA_CLIENT_ID: the tenant has no such app',
      700021: 'ENTRA_CLIENT_ID: the client assertion is for another app',
      700023: 'ENTRA_CLIENT_ASSERTION: its audience is not Entra’s',
      700024: 'ENTRA_CLIENT_ASSERTION: it is out of time; is the file renewed, is the clock right?',
      700025: 'ENTRA_CLIENT_ID is a public client: use an app that keeps a credential',
      700027: 'ENTRA_CLIENT_CERTIFICATE_PATH: Entra does not know this certificate',
      700030: 'ENTRA_CLIENT_CERTIFICATE_PATH: the certificate is not valid',
      700211: `${federated} (issuer)`,
      700212: `${federated} (audience)`,
      700213: `${federated} (subject)`,
      700214: federated,
      700222: 'ENTRA_CLIENT_ASSERTION: Entra takes no token of its own from this identity',
      700229: 'ENTRA_CLIENT_ASSERTION: only the token of an app or identity will do',
      700231:
        'ENTRA_CLIENT_ASSERTION: the token came by federation itself; hand over the first one (ENTRA_FEDERATED_TOKEN_FILE)',
      7000112: 'ENTRA_CLIENT_ID: the app is disabled',
      7000114: 'ENTRA_CLIENT_ID: the app may not act on behalf of users',
      7000214: 'ENTRA_CLIENT_CERTIFICATE_PATH: the certificate was revoked',
      7000215: 'ENTRA_CLIENT_SECRET: wrong value',
      7000216: 'no credential arrived: ENTRA_CLIENT_SECRET, _CERTIFICATE_PATH or _ASSERTION',
      7000218: 'no credential arrived: ENTRA_CLIENT_SECRET, _CERTIFICATE_PATH or _ASSERTION',
      7000222: 'ENTRA_CLIENT_SECRET: expired',
      7002138: `${federated} (subject, in this case of letters)`,
    },
    administrator: {
      50020: guest,
      50105: 'the app wants an assignment: assign the user or the group to it',
      50177: guest,
      50178: guest,
      51004: guest,
      53000: device,
      53001: device,
      53002: 'Conditional Access wants an approved app',
      53003: conditionalAccess,
      53009: 'Conditional Access wants an app that Intune protects',
      53011: 'the user counts as at risk in the home tenant',
      90072: guest,
      500212: 'the user’s own tenant does not let it out: cross-tenant access settings',
      500213: 'this tenant does not let it in: cross-tenant access settings',
      530001: device,
      530002: device,
      530003: device,
      530004: device,
      530031: conditionalAccess,
      530032: 'a security policy of the tenant blocks it',
      530034: 'the delegated administrator is blocked as suspicious',
      530035: 'the security defaults of the tenant block it',
    },
    outage: {
      90006: transient,
      90024: transient,
      90033: transient,
      90051: transient,
      90055: 'nothing to do: Entra throttles the tenant, callers try again',
      90090: transient,
      50196: 'too many exchanges of one user or app: callers try again',
    },
  } satisfies Record<Whose, Record<number, string>>).flatMap(([whose, ways]) =>
    Object.entries(ways).map(([number, wayOut]) => [number, { whose: whose as Whose, wayOut }]),
  ),
)

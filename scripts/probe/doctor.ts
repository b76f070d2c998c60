import type { Facts } from '../../src/sandbox/graph/facts-schema.ts'

/** What may be wrong, by name: each has a row in `remedies`. */
export const advices = [
  'graphTokenAudience',
  'graphTokenExpired',
  'graphTokenRefused',
  'consentMissing',
  'applicationPermissions',
  'roleMissing',
  'workspaceUnknown',
  'clockWrong',
  'proxyInTheWay',
  'proxyRefuses',
  'unreachable',
  'untrusted',
  'late',
  'serviceTokenAudience',
  'serviceTokenExpired',
  'serviceNotReady',
  'serviceRoad',
] as const
export type Advice = (typeof advices)[number]

/** The service accepts clocks that are off by a minute, as Entra's tokens allow. */
const maxSkewSeconds = 60

/** Each with its cause and the way out. `{…}` is put in from the facts. */
export const remedies: Readonly<Record<Advice, string>> = {
  graphTokenAudience:
    'The token for Graph is meant for something else. Get one for https://graph.microsoft.com; ' +
    'see docs/connections.md#which-token-goes-where.',
  graphTokenExpired: 'The token for Graph has expired. Get a new one; they live about an hour.',
  graphTokenRefused:
    'Graph does not accept the token (401). Get a new one; if it happens again, sign in anew: ' +
    'Conditional Access may ask for more.',
  consentMissing:
    'The token lacks SecurityCopilotWorkspaces.Read.All or .ReadWrite.All. Add both as delegated ' +
    'permissions of Microsoft Graph and grant admin consent: docs/connections.md#register-the-api-app.',
  applicationPermissions:
    'The token stands for an app. Application permissions for Security Copilot are documented and ' +
    'were hidden in 2026; use the token of a user: docs/connections.md#service-principals.',
  roleMissing:
    'Graph refuses although both permissions are there (403). Assign the user a Security Copilot ' +
    'role, Contributor at least: docs/connections.md#which-users-may-ask.',
  workspaceUnknown:
    'Graph does not know the workspace (404). Check that Security Copilot is set up and has ' +
    'capacity in this tenant, and set WORKSPACE_ID (here --workspace) to an id that is listed.',
  clockWrong:
    'The clock of this machine and that of Graph differ by {skewSeconds} s. Set the clock (NTP): ' +
    'tokens are refused beyond 60 s.',
  proxyInTheWay:
    'A page or a redirect came where JSON was expected: a proxy, a gateway or a sign-in page ' +
    'answers instead. Set HTTPS_PROXY and NO_PROXY, or have the proxy let these hosts through.',
  proxyRefuses:
    'The proxy refuses, or is not there. Check HTTPS_PROXY, its credentials, and NO_PROXY.',
  unreachable:
    'A server cannot be reached. Check its URL, DNS and the firewall; behind a proxy set HTTPS_PROXY.',
  untrusted:
    'The certificate of a server is not trusted: a proxy that opens TLS, or a private authority. ' +
    'Name its certificate by NODE_EXTRA_CA_CERTS.',
  late: 'A server did not answer in time. Try again; look at the firewall if it happens again.',
  serviceTokenAudience:
    'The token for the service is meant for Microsoft Graph. Get one for the API app: ' +
    'docs/connections.md#which-token-goes-where.',
  serviceTokenExpired: 'The token for the service has expired. Get a new one.',
  serviceNotReady: 'The service is not ready: docs/operations.md tells what it waits for.',
  serviceRoad: 'The service answers {serviceCode}. ',
}

const isRefused = (status: number | undefined): boolean => status === 403

/** What is wrong and has a way out, worst first. Pure. */
export function adviceOf(facts: Facts): Advice[] {
  const { graphToken, serviceToken, calls, service, troubles, skewSeconds } = facts
  const statuses = Object.values(calls).flatMap(({ status, sometimes }) => [
    status,
    sometimes?.status,
  ])
  const refused = statuses.some(isRefused)
  const known = graphToken !== undefined && graphToken.kind !== 'opaque'
  const lacks = known && !(graphToken.read && graphToken.write)
  const holds: Record<Advice, boolean> = {
    graphTokenAudience: graphToken?.audience === 'other' && statuses.includes(401),
    graphTokenExpired: graphToken?.expired === true,
    graphTokenRefused:
      statuses.includes(401) && graphToken?.audience !== 'other' && !graphToken?.expired,
    consentMissing: lacks && refused && graphToken.kind === 'delegated',
    applicationPermissions: graphToken?.kind === 'application' && refused,
    roleMissing: refused && !lacks && graphToken?.kind !== 'application',
    workspaceUnknown: calls.listPlugins?.status === 404 || facts.workspaces === 0,
    clockWrong: Math.abs(skewSeconds ?? 0) > maxSkewSeconds,
    proxyInTheWay: troubles.includes('html'),
    proxyRefuses: troubles.includes('proxy') || (facts.proxied && troubles.includes('unreachable')),
    unreachable: troubles.includes('unreachable'),
    untrusted: troubles.includes('untrusted'),
    late: troubles.includes('late'),
    serviceTokenAudience: serviceToken?.audience === 'graph',
    serviceTokenExpired: serviceToken?.expired === true,
    serviceNotReady: service !== undefined && service.ready.status >= 400,
    serviceRoad: service !== undefined && service.road.status >= 400 && service.road.status !== 404,
  }
  return advices.filter(name => holds[name])
}

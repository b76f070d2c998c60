/**
 * What a token is for that proves an app by federation: Entra's resource for it, by URI and by id
 * (learn.microsoft.com/entra/workload-id/workload-identity-federation).
 */
export const exchangeAudiences: readonly string[] = [
  'api://AzureADTokenExchange',
  'fb60f99c-7a34-4190-8149-302f77469936',
]

/** The payload of a JWT, unverified; `undefined` when it is none. Pure. */
export function unverifiedPayload(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split('.', 2)[1] ?? '', 'base64url').toString(),
    )
    return typeof payload === 'object' && payload !== null ? { ...payload } : undefined
  } catch {
    return undefined
  }
}

/** Whether a token says, unverified, that it is for proving an app. Pure. */
export function claimsExchangeAudience(token: string): boolean {
  const audiences = [unverifiedPayload(token)?.['aud']].flat()
  return audiences.some(audience => exchangeAudiences.some(known => known === audience))
}

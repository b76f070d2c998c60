/** A refusal of the token endpoint, in Entra's shape. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly status: number
  readonly body: object

  constructor(status: number, body: object) {
    super('Entra refuses')
    this.status = status
    this.body = body
  }
}

/**
 * A refusal by OAuth's error, the AADSTS number and its text; the text names people and places, as
 * Entra's does.
 */
export function tokenError(
  error: string,
  aadsts: number,
  text: string,
  more: object = {},
  status = 400,
): TokenError {
  return new TokenError(status, {
    error,
    error_description: `AADSTS${aadsts}: ${text} Trace ID: 0 Correlation ID: 0 User: jane.doe@contoso.example`,
    error_codes: [aadsts],
    timestamp: '2026-01-05 09:00:00Z',
    trace_id: '00000000-0000-4000-8000-000000000000',
    correlation_id: '00000000-0000-4000-8000-000000000000',
    ...more,
  })
}

/**
 * Conditional Access asks for more at the exchange (AADSTS50076), with the claims to sign in with.
 */
export const interactionRequired = (): TokenError =>
  tokenError('interaction_required', 50076, 'You must use multi-factor authentication.', {
    suberror: 'basic_action',
    claims: '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}',
  })

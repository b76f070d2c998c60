import type { TokenCredentialOptions } from '@azure/identity'
import type { Fetch } from './fetch.ts'

/** What @azure/identity sends its requests by. */
export type IdentityHttp = NonNullable<TokenCredentialOptions['httpClient']>

type Response = Awaited<ReturnType<IdentityHttp['sendRequest']>>

/**
 * Lets @azure/identity speak through a `fetch`: its own client keeps no deadline. A request whose
 * connection breaks is sent once more, since asking for a token twice does no harm. A redirect is a
 * failure.
 * @param timeoutMs for one request.
 */
export function identityHttp(fetch: Fetch, timeoutMs: number): IdentityHttp {
  return {
    async sendRequest(request): Promise<Response> {
      const { url, method, body } = request
      const signal = AbortSignal.timeout(timeoutMs)
      const send = () =>
        fetch(url, {
          method,
          headers: request.headers.toJSON(),
          ...(typeof body === 'string' && { body }),
          redirect: 'error',
          signal,
        })
      const response = await send().catch((error: unknown) => {
        if (signal.aborted) throw error
        return send()
      })
      // Its interface of headers is that of `fetch` and this one member.
      const headers = Object.assign(new Headers(response.headers), {
        toJSON: () => Object.fromEntries(response.headers),
      })
      return {
        request,
        status: response.status,
        headers: headers as unknown as Response['headers'],
        bodyAsText: await response.text(),
      }
    },
  }
}

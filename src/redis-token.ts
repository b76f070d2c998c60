import type { AccessToken, TokenCredential } from '@azure/identity'
import { decodeJwt } from 'jose'

/** Azure's name for its Redis services. */
const scope = 'https://redis.azure.com/.default'

/** A token is renewed so long before it ends, or after half of the time it has left. */
const aheadMs = 180_000

/** After a failure Entra is asked again so much later. */
const retryMs = 5000

export interface RedisTokenOptions {
  /** @default the token's object id */
  readonly username: string | undefined
  /** The client id of a user-assigned managed identity. @default the system's own */
  readonly managedIdentityClientId?: string | undefined
  /** Hears of each token that is not the one before. */
  onToken(username: string, token: string): void
  onFailure(error: unknown): void
}

export interface RedisToken {
  /** What a connection signs in with now; undefined while there is no token. */
  current(): { readonly username: string; readonly password: string } | undefined
  /** Asks for a token now: the server closed a connection or refused the one there is. */
  refresh(): Promise<void>
  close(): void
}

function objectIdOf(token: string): string {
  const { oid } = decodeJwt(token)
  if (typeof oid === 'string') return oid
  throw new Error('The token for Redis names no object: put the user into REDIS_URL')
}

/** The workload's identity where Kubernetes gives one, else the machine's managed identity. */
async function createCredential(managedIdentityClientId?: string): Promise<TokenCredential> {
  // Loaded only by those who sign in by Entra.
  const { ManagedIdentityCredential, WorkloadIdentityCredential } = await import('@azure/identity')
  const { AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID } = process.env
  const retryOptions = { maxRetries: 1 }
  if (AZURE_FEDERATED_TOKEN_FILE) {
    return new WorkloadIdentityCredential({ disableInstanceDiscovery: true, retryOptions })
  }
  const clientId = managedIdentityClientId ?? AZURE_CLIENT_ID
  return new ManagedIdentityCredential({ ...(clientId && { clientId }), retryOptions })
}

/**
 * A token of the managed or workload identity for Azure's Redis, renewed before it ends. The
 * credential keeps tokens that are valid for long, so asking it is cheap.
 */
export function redisToken({
  username,
  managedIdentityClientId,
  onToken,
  onFailure,
}: RedisTokenOptions): RedisToken {
  let credential: Promise<TokenCredential> | undefined
  let known: { username: string; password: string } | undefined
  let asking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function take({ token, expiresOnTimestamp }: AccessToken): number {
    const leftMs = expiresOnTimestamp - Date.now()
    if (token !== known?.password) {
      known = { username: username ?? objectIdOf(token), password: token }
      onToken(known.username, token)
    }
    return Math.max(leftMs - aheadMs, leftMs / 2, 1000)
  }

  async function ask(): Promise<void> {
    if (closed) return
    clearTimeout(timer)
    let againMs = retryMs
    try {
      credential ??= createCredential(managedIdentityClientId)
      const token = await (await credential).getToken(scope)
      if (token) againMs = take(token)
    } catch (error) {
      onFailure(error)
    }
    if (closed) return
    timer = setTimeout(() => void refresh(), Math.min(againMs, 2 ** 31 - 1))
    timer.unref()
  }

  // Single flight: connections that ask together share one question.
  const refresh = (): Promise<void> =>
    (asking ??= ask().finally(() => {
      asking = undefined
    }))

  return {
    current: () => known,
    refresh,
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

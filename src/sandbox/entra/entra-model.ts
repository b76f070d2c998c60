import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import type { Clock } from '../../lib/clock.ts'
import type { Caller } from '../graph/call.ts'
import { prove, type App, type ClientProof } from './client-proof.ts'
import { exchangeResourceId, type ManagedIdentity } from './federation.ts'
import { tokenError, type TokenError } from './token-error.ts'

export interface EntraOptions {
  readonly clock: Clock
  readonly tenantId: string
  /** This API's own registration. */
  readonly api: App
  /** Further apps, which may call as service principals. */
  readonly servicePrincipals?: readonly App[] | undefined
}

/** What a user's token for this API says; the rest is filled in. */
export interface UserToken {
  /** @default a v2 token */
  readonly version?: 'v1' | 'v2'
  /** Claims to add or replace; `undefined` leaves one out. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Header members to add or replace. */
  readonly header?: Readonly<Record<string, unknown>>
}

interface SigningKey {
  readonly jwk: JWK
  readonly privateKey: CryptoKey
}

/** The permissions of the Graph tokens that are issued. */
const scopes = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']

const lifetimeSeconds = 3599

const identityLifetimeSeconds = 86_400

/** Entra is lenient about an assertion's expiry. */
const skewSeconds = 300

/** A client app that users sign in to. */
const publicClientId = '5f0e1f2a-0000-4000-8000-00000000c11e'

export type EntraModel = Awaited<ReturnType<typeof createEntraModel>>

/**
 * Entra for one tenant: signing keys, users' tokens for this API, and tokens for Graph in exchange.
 * No HTTP; time is the clock's.
 */
export async function createEntraModel({
  clock,
  tenantId,
  api,
  servicePrincipals = [],
}: EntraOptions) {
  const callers = new Map<string, Caller>()
  const refusals = new Map<string, TokenError>()
  let keys: SigningKey[] = []

  /** Publishes a new signing key beside the old ones, and signs with it from now on. */
  async function rollKey(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid: randomUUID(), use: 'sig', alg: 'RS256' }
    keys = [{ jwk, privateKey }, ...keys]
  }
  await rollKey()

  const nowSeconds = (): number => Math.floor(clock.now() / 1000)

  function sign(claims: object, header: object = {}): Promise<string> {
    const [key] = keys as [SigningKey]
    return new SignJWT({ ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: key.jwk.kid, ...header } as {
        alg: string
      })
      .sign(key.privateKey)
  }

  /** A token for Graph, which Graph's simulator knows by `callerOf`. */
  async function graphToken(owner: string): Promise<string> {
    const claims = {
      aud: 'https://graph.microsoft.com',
      sub: owner,
      jti: randomUUID(),
      exp: nowSeconds() + lifetimeSeconds,
    }
    const token = await sign(claims)
    callers.set(token, { owner, scopes })
    return token
  }

  const publicKeys = (): JWK[] => keys.map(key => key.jwk)

  const proveClient = (client: ClientProof, app: App | undefined): Promise<void> =>
    prove(client, app, { tenantId, keys: publicKeys(), now: new Date(clock.now()) })

  /** What was said of this subject, by `refuse`. */
  function refuseIfTold(subject: string): void {
    const told = refusals.get(subject)
    if (told) throw told
  }

  const objectIdOf = (assertion: string): string => {
    const [, payload = ''] = assertion.split('.')
    const { oid, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}')
    if (typeof oid !== 'string')
      throw tokenError('invalid_grant', 50013, 'Assertion failed signature validation.')
    if (exp + skewSeconds < nowSeconds())
      throw tokenError('invalid_grant', 500133, 'Assertion is not within its valid time range.')
    return oid
  }

  return {
    tenantId,
    lifetimeSeconds,
    rollKey,
    sign,
    publicKeys,

    /** Publishes every key in another shape, however wrong. */
    changeKeys(change: (key: JWK) => JWK): void {
      keys = keys.map(key => ({ ...key, jwk: change(key.jwk) }))
    },

    /** A token for this API that stands for a user, as Entra's v1 or v2 endpoint issues it. */
    userToken(
      objectId: string,
      { version = 'v2', claims = {}, header = {} }: UserToken,
      authority: string,
    ): Promise<string> {
      const byVersion =
        version === 'v1'
          ? {
              iss: `https://sts.windows.net/${tenantId}/`,
              aud: `api://${api.clientId}`,
              appid: publicClientId,
              ver: '1.0',
            }
          : {
              iss: `${authority}/${tenantId}/v2.0`,
              aud: api.clientId,
              azp: publicClientId,
              ver: '2.0',
            }
      const now = nowSeconds()
      return sign(
        {
          ...byVersion,
          iat: now,
          nbf: now,
          exp: now + lifetimeSeconds,
          tid: tenantId,
          oid: objectId,
          sub: `pairwise-${objectId}`,
          scp: 'access_as_user',
          name: 'Simulated User',
          preferred_username: `${objectId}@contoso.example`,
          ...claims,
        },
        header,
      )
    },

    /** A managed identity's token, with which an app that trusts the identity is proved. */
    identityToken(
      { clientId, objectId }: ManagedIdentity,
      authority: string,
      claims: Readonly<Record<string, unknown>> = {},
      header: object = {},
    ): Promise<string> {
      const now = nowSeconds()
      return sign(
        {
          iss: `${authority}/${tenantId}/v2.0`,
          aud: exchangeResourceId,
          azp: clientId,
          iat: now,
          nbf: now,
          exp: now + identityLifetimeSeconds,
          idtyp: 'app',
          oid: objectId,
          sub: objectId,
          tid: tenantId,
          ver: '2.0',
          ...claims,
        },
        header,
      )
    },

    /**
     * From now on, refuses this user (object id) or app (client id) with this error; without one,
     * no longer.
     */
    refuse(subject: string, error?: TokenError): void {
      if (error) refusals.set(subject, error)
      else refusals.delete(subject)
    },

    /** Whom a token for Graph stands for. */
    callerOf: (token: string): Caller | undefined => callers.get(token),

    /** Registers a caller without an exchange: the sandbox's own connection. */
    graphToken,

    /** OAuth's jwt-bearer grant: a token for Graph on behalf of the user of `assertion`. */
    async onBehalfOf(client: ClientProof, assertion: string): Promise<string> {
      refuseIfTold(client.clientId)
      await proveClient(client, client.clientId === api.clientId ? api : undefined)
      const objectId = objectIdOf(assertion)
      refuseIfTold(objectId)
      return graphToken(`user ${objectId}`)
    },

    /** OAuth's client_credentials grant: a token for Graph that stands for an app. */
    async clientCredentials(client: ClientProof): Promise<string> {
      const { clientId } = client
      refuseIfTold(clientId)
      const app = servicePrincipals.find(one => one.clientId === clientId)
      await proveClient(client, app)
      return graphToken(`app ${clientId}`)
    },
  }
}

import { ManagedIdentityCredential } from '@azure/identity'
import t from 'tap'
import { createSandbox } from '../../src/sandbox/sandbox.ts'
import { createIdentityEndpoint } from '../../src/sandbox/entra/identity-endpoint.ts'
import { entraWorld, identity, trusting } from '../helpers/entra-world.ts'

const exchange = 'api://AzureADTokenExchange'

t.test('the identity endpoint of a virtual machine', async t => {
  const w = await entraWorld(t)
  const { authority } = w
  const identities = [identity]
  const endpoint = createIdentityEndpoint({
    model: w.entra,
    identities,
    secret: 'the-header',
    authority,
  })
  const url = await endpoint.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => endpoint.close())

  await t.test('gives a token by which an app that trusts the identity calls', async t => {
    process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = url
    const credential = new ManagedIdentityCredential({ clientId: identity.clientId })
    const { token } = await credential.getToken(`${exchange}/.default`)
    const headers = {
      ...(await w.asIdentity()),
      authorization: `Bearer ${token}`,
      'x-entra-client-id': trusting.clientId,
    }
    t.match(await w.get('/sessions/x/prompts/x/promptbook', headers), {
      status: 400,
      body: { error: { code: 'InvalidRequest', message: /sessionId/ } },
    })
  })

  const ask = async (path: string, headers: Record<string, string>) =>
    (await fetch(`${url}${path}?resource=${exchange}&client_id=${identity.objectId}`, { headers }))
      .status
  await t.test('refuses a call that may come from elsewhere, and another identity', async t => {
    t.equal(await ask('/metadata/identity/oauth2/token', {}), 400)
    t.equal(await ask('/metadata/identity/oauth2/token', { metadata: 'true' }), 400)
    t.equal(await ask('/msi/token', {}), 401)
    t.equal(await ask('/msi/token', { 'x-identity-header': 'the-header' }), 400)
  })
})

t.test('the sandbox has an app that trusts a simulated identity', async t => {
  const { service, identityEndpoint, close } = await createSandbox({ LOG_LEVEL: 'silent' })
  t.teardown(close)
  const url = await service.listen({ host: '127.0.0.1', port: 0 })
  const given = await fetch(`${identityEndpoint}?api-version=2019-08-01&resource=${exchange}`, {
    headers: { 'x-identity-header': 'sandbox-identity' },
  })
  const { access_token: token } = (await given.json()) as { access_token: string }
  const headers = {
    authorization: `Bearer ${token}`,
    'x-entra-tenant-id': '5a4db0c5-0000-4000-8000-0000000000aa',
    'x-entra-client-id': '5a4db0c5-0000-4000-8000-0000000000ad',
    'content-type': 'application/json',
    prefer: 'respond-async',
  }
  const body = '{"PromptContent":"Hello"}'
  t.equal((await fetch(`${url}/process-prompt`, { method: 'POST', headers, body })).status, 202)
})

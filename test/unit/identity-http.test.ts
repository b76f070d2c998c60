import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createTokenExchange } from '../../src/auth/token-exchange.ts'
import { entraWorld, principal, tenantId } from '../helpers/entra-world.ts'
import { environmentVariables } from '../helpers/environment.ts'

t.test('the way out to Entra', async t => {
  const clientId = environmentVariables.ENTRA_CLIENT_ID
  const credential = { clientSecret: environmentVariables.ENTRA_CLIENT_SECRET }

  await t.test('is one function, for discovery and tokens', async t => {
    const { authority } = await entraWorld(t)
    const urls: string[] = []
    const exchange = createTokenExchange({
      authority,
      clientId,
      credential,
      fetch: (url, init) => {
        urls.push(url)
        return fetch(url, init)
      },
    })
    const { token } = await exchange.asServicePrincipal({ tenantId, ...principal })
    t.ok(token)
    t.match(urls, [/openid-configuration$/, /\/oauth2\/v2.0\/token\?/])
  })

  await t.test('is tried once more when the connection breaks', async t => {
    const { authority, entraCalls } = await entraWorld(t)
    let calls = 0
    const exchange = createTokenExchange({
      authority,
      clientId,
      credential,
      fetch: async (url, init) => {
        calls += 1
        if (calls % 2 === 1) throw new TypeError('fetch failed')
        return fetch(url, init)
      },
    })
    t.ok(await exchange.asServicePrincipal({ tenantId, ...principal }))
    t.same(entraCalls, ['discovery', 'clientCredentials'])
  })

  await t.test('does not wait as long as Entra may ask for', async t => {
    const { authority } = await entraWorld(t)
    let tokens = 0
    const exchange = createTokenExchange({
      authority,
      clientId,
      credential,
      fetch: async (url, init) => {
        if (url.includes('openid')) return fetch(url, init)
        tokens += 1
        const headers = { 'retry-after': '600' }
        return Response.json({ error: 'temporarily_unavailable' }, { status: 429, headers })
      },
    })
    const asking = () => exchange.asServicePrincipal({ tenantId, ...principal })
    await t.rejects(asking(), { code: 'EntraUnavailable' })
    t.equal(tokens, 1)
  })

  await t.test('follows no redirect', async t => {
    let elsewhere = 0
    const server = createServer((request, response) => {
      if (request.url === '/elsewhere') elsewhere += 1
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    t.teardown(() => server.close())
    const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const exchange = createTokenExchange({
      authority: 'https://login.example',
      clientId,
      credential,
      fetch: (_url, init) => fetch(target, init),
      timeoutMs: 1000,
    })
    await t.rejects(exchange.onBehalfOf(tenantId, 'a.b.c'), { code: 'EntraUnavailable' })
    t.equal(elsewhere, 0)
  })
})

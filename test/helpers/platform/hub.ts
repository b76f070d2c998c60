import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { pathOf, type Json } from './connector.ts'

export interface HubOptions {
  readonly definition: Json
  readonly properties: Json
  /** What the maker typed when the connection was made. */
  readonly connectionParameters: Readonly<Record<string, string>>
  /** Where the service really is. */
  readonly backend: string
}

export interface Hub {
  /** Start of the connector's addresses, as a workflow engine knows them. */
  readonly prefix: string
  /** Where such an address really is. */
  resolve(url: string): string
  /** Headers of the calls that reached the service. */
  readonly seen: IncomingHttpHeaders[]
}

const host = 'europe-001.azure-apihub.net'
const connection = '/apim/securitycopilot/shared-securitycopilot-4f1c'

/** The headers that the policies set: an absent connection parameter is sent as its default. */
function policyHeaders(
  { properties }: Json,
  values: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    properties.policyTemplateInstances.map(({ parameters }: Json) => [
      parameters['x-ms-apimTemplateParameter.name'],
      String(parameters['x-ms-apimTemplateParameter.value']).replace(
        /@connectionParameters\('([^']+)','([^']*)'\)/,
        (_all, name, otherwise) => values[name] ?? otherwise,
      ),
    ]),
  )
}

/**
 * A connector's runtime over real HTTP: knows only the paths that the definition declares, drops
 * headers that it does not, applies the policies, and tells the service its own address by
 * `X-MS-APIM-Referrer`, as seen in public captures.
 */
export async function createHub(
  t: Test,
  { definition, properties, connectionParameters, backend }: HubOptions,
): Promise<Hub> {
  const seen: IncomingHttpHeaders[] = []
  const server = createServer((incoming, outgoing) => {
    const path = String(incoming.url).slice(connection.length)
    const operation = pathOf(definition, path)?.[String(incoming.method).toLowerCase()]
    if (!operation || !incoming.url?.startsWith(connection)) {
      outgoing
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"statusCode":404,"message":"Resource not found"}')
      return
    }
    const declared = operation.parameters
      .filter((one: Json) => one.in === 'header')
      .map((one: Json) => one.name.toLowerCase())
    const passed = Object.entries(incoming.headers).filter(([name]) =>
      [...declared, 'authorization', 'content-type', 'content-length'].includes(name),
    )
    const headers = {
      ...Object.fromEntries(passed),
      ...policyHeaders(properties, connectionParameters),
      'x-ms-apim-referrer': `https://${host}${incoming.url}`,
    }
    seen.push(headers)
    const call = forward(backend + path, { method: incoming.method, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(call)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    prefix: `https://${host}${connection}`,
    // The runtime's addresses are the only ones that the engine can reach here.
    resolve: url => url.replace(`https://${host}`, `http://127.0.0.1:${port}`),
    seen,
  }
}

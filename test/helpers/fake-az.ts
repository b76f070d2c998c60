import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { stub } from './stub.ts'

/** An app registration, as far as scripts/register.sh looks at it. */
interface App {
  readonly id: string
  readonly name: string
  uris: string[]
  scopes: { id: string; value: string }[]
  permissions: string[]
  trusted: { appId: string; delegatedPermissionIds?: string[] }[]
  redirects: string[]
  federated: { name: string; issuer: string; subject: string; audiences: string[] }[]
  secrets: number
  principal: boolean
}

export interface FakeAz {
  /** The file that stands in for `az`: it sends its arguments to this process. */
  readonly script: string
  /** What Entra knows; a test may change it. */
  apps: App[]
  /** The arguments of each call. */
  readonly calls: string[][]
}

const quoted = (value: string): string => /'([^']*)'/.exec(value)?.[1] ?? ''

/** What a call prints. Changes the apps as Entra would. */
function answer(az: FakeAz, args: readonly string[]): string {
  const option = (name: string): string => args[args.indexOf(name) + 1] ?? ''
  const query = option('--query')
  const app = (id: string): App => {
    const found = az.apps.find(one => one.id === id)
    if (!found) throw new Error(`no app ${id}`)
    return found
  }

  const show: Record<string, (one: App) => string> = {
    identifierUris: one => one.uris.filter(uri => uri === quoted(query)).join('\n'),
    'api.oauth2PermissionScopes': one => one.scopes.map(({ id }) => id).join('\n'),
    requiredResourceAccess: one => one.permissions.join('\n'),
    'api.preAuthorizedApplications': one => JSON.stringify(one.trusted, null, 2),
    'web.redirectUris': one => one.redirects.join('\t'),
  }

  const commands: Record<string, () => string | void> = {
    'account show': () => '5a4db0c5-0000-4000-8000-0000000000aa',
    'ad app list': () =>
      az.apps
        .filter(({ name }) => name === quoted(option('--filter')))
        .map(({ id }) => id)
        .join('\n'),
    'ad app create': () => {
      const id = `00000000-0000-4000-8000-00000000000${az.apps.length + 1}`
      const none = { uris: [], scopes: [], permissions: [], trusted: [], redirects: [] }
      const made = { id, name: option('--display-name'), ...none, federated: [] }
      az.apps.push({ ...made, secrets: 0, principal: false })
      return id
    },
    'ad app show': () => show[/^[\w.]+/.exec(query)?.[0] ?? '']?.(app(option('--id'))),
    'ad app update': () => {
      const one = app(option('--id'))
      if (args.includes('--identifier-uris')) one.uris = [option('--identifier-uris')]
      const at = args.indexOf('--web-redirect-uris')
      if (at > 0) one.redirects = args.slice(at + 1, args.indexOf('--output'))
    },
    'ad app permission add': () => {
      app(option('--id')).permissions.push(option('--api-permissions').replace(/=Scope$/, ''))
    },
    'ad app permission admin-consent': () => app(option('--id')) && undefined,
    'ad app federated-credential list': () =>
      app(option('--id'))
        .federated.filter(({ subject }) => subject === quoted(query))
        .map(({ name }) => name)
        .join('\n'),
    'ad app federated-credential create': () => {
      app(option('--id')).federated.push(JSON.parse(option('--parameters')))
    },
    'ad app credential reset': () => {
      app(option('--id')).secrets += 1
      return 'a~secret/of&this.API'
    },
    'ad sp list': () => (app(quoted(option('--filter'))).principal ? 'an-object-id' : ''),
    'ad sp create': () => {
      app(option('--id')).principal = true
    },
    rest: () => {
      const { api } = JSON.parse(option('--body'))
      const one = app(quoted(option('--url')))
      if (api.oauth2PermissionScopes) one.scopes = api.oauth2PermissionScopes
      if (api.preAuthorizedApplications) one.trusted = api.preAuthorizedApplications
    },
  }

  const command = args
    .slice(
      0,
      args.findIndex(word => word.startsWith('--')),
    )
    .join(' ')
  const run = commands[command]
  if (!run) throw new Error(`az ${command} is not known here`)
  return run() ?? ''
}

/** `az` as scripts/register.sh knows it: an Entra in memory, ended with the test. */
export async function fakeAz(t: Test): Promise<FakeAz> {
  const respond = async (body: Promise<string>): Promise<string> => {
    const args = (await body).split('\0').slice(0, -1)
    az.calls.push(args)
    return answer(az, args)
  }
  const url = await stub(t, (request, response) => {
    respond(text(request)).then(
      output => response.end(output && `${output}\n`),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  const script = `#!/bin/sh\nprintf '%s\\0' "$@" | curl -sS --fail-with-body --data-binary @- ${url}\n`
  const az: FakeAz = { script, apps: [], calls: [] }
  return az
}

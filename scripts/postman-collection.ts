import { clientRequests, type Capture, type ClientRequest } from './client-requests.ts'

const variable = (name: string): string => `{{${name}}}`

/** Values for headers that nobody wants by default; a key is a new one for each request. */
const headerValues = new Map([
  ['Prefer', 'wait=20'],
  ['Idempotency-Key', '{{$guid}}'],
])

/** A line of a script that Postman runs once the response is there. */
function captureLine({ parameter, from }: Capture): string {
  const found =
    from === 'location'
      ? `/promptbook-runs\\/([^/]+)/.exec(pm.response.headers.get('Location') ?? '')?.[1]`
      : `pm.response.json()${from.map(key => `?.[${JSON.stringify(key)}]`).join('')}`
  return `{ const found = ${found}; if (found) pm.collectionVariables.set('${parameter}', found) }`
}

const script = (listen: string, exec: string[]) => ({
  listen,
  script: { type: 'text/javascript', exec },
})

function toItem({ path, query, headers, body, captures, ...request }: ClientRequest): object {
  const segments = path.slice(1).replaceAll(/\{(\w+)\}/g, (_whole, name: string) => variable(name))
  const search = query.map(([key, value]) => ({ key, value }))
  const raw = `{{service}}/${segments}${query.map(([key, value], at) => `${at ? '&' : '?'}${key}=${value}`).join('')}`
  return {
    name: request.summary,
    ...(captures.length > 0 && { event: [script('test', captures.map(captureLine))] }),
    request: {
      method: request.method,
      description: request.description,
      url: {
        raw,
        host: ['{{service}}'],
        path: segments.split('/'),
        ...(search.length > 0 && { query: search }),
      },
      header: [
        ...(body ? [{ key: 'Content-Type', value: 'application/json' }] : []),
        ...headers.map(([key, description]) => ({
          key,
          // A run that is answered at once has the address that later requests poll.
          ...(key === 'Prefer' && captures.some(({ from }) => from === 'location')
            ? { value: 'respond-async', disabled: false }
            : { value: headerValues.get(key) ?? '', disabled: true }),
          description,
        })),
      ],
      ...(body && {
        body: {
          mode: 'raw',
          raw: JSON.stringify(body, undefined, 2),
          options: { raw: { language: 'json' } },
        },
      }),
    },
    response: [],
  }
}

/**
 * A Postman collection (format 2.1) of an OpenAPI document, a folder for each tag; ids go from one
 * request to the next by variables. Without a `token` no credentials are sent. Pure.
 */
export function postmanCollection(openApi: {
  info: { title: string; description: string }
}): object {
  const requests = clientRequests(openApi)
  const names = requests.flatMap(({ captures }) => captures.map(({ parameter }) => parameter))
  return {
    info: {
      name: openApi.info.title,
      description: `${openApi.info.description}\n\nSet the variable \`service\` to your service's address, and \`token\` to a user's token for this API if it asks for one. Run *Submit a Security Copilot prompt* first: the other requests use its ids.`,
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    variable: [
      { key: 'service', value: 'http://localhost:8080' },
      { key: 'token', value: '' },
      ...names.map(key => ({ key, value: '' })),
    ],
    event: [
      script('prerequest', [
        "const token = pm.collectionVariables.get('token')",
        "if (token) pm.request.headers.upsert({ key: 'Authorization', value: `Bearer ${token}` })",
      ]),
    ],
    item: [...new Set(requests.map(({ tag }) => tag))].map(tag => ({
      name: tag,
      item: requests.filter(one => one.tag === tag).map(toItem),
    })),
  }
}

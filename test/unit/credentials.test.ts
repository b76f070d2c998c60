import t from 'tap'
import { readCredentials } from '../../src/auth/credentials.ts'

type HeaderValues = Record<string, string[]>

/** Names and values as Node's `rawHeaders` has them, names in some case. */
const raw = (headers: HeaderValues): string[] =>
  Object.entries(headers).flatMap(([name, values]) =>
    values.flatMap(value => [name.toUpperCase(), value]),
  )

const guid = '11111111-1111-4111-8111-11111111111A'
const principal = {
  'x-entra-tenant-id': [guid],
  'x-entra-client-id': [guid],
  'x-entra-client-secret': ['s3cr3t ~'],
}
const app = { 'x-entra-tenant-id': [guid], 'x-entra-client-id': [guid] }
const jwtOf = (payload: string): string => `e30.${Buffer.from(payload).toString('base64url')}.AA`
const jwt = (claims: unknown): string => jwtOf(JSON.stringify(claims))
const forExchange = jwt({ aud: 'api://AzureADTokenExchange' })
const empty = {
  'x-entra-tenant-id': [''],
  'x-entra-client-id': [''],
  'x-entra-client-secret': [''],
}

t.test('readCredentials()', async t => {
  const read: [string, HeaderValues, object][] = [
    ['nothing', {}, { kind: 'none' }],
    [
      'empty headers, as a connector sends them',
      { authorization: [''], ...empty },
      { kind: 'none' },
    ],
    ['a bearer token', { authorization: ['Bearer a.b.c'] }, { kind: 'bearer', token: 'a.b.c' }],
    [
      'a bearer token beside empty headers',
      { authorization: ['bearer a'], ...empty },
      { kind: 'bearer', token: 'a' },
    ],
    [
      'a service principal',
      principal,
      {
        kind: 'servicePrincipal',
        principal: {
          tenantId: guid.toLowerCase(),
          clientId: guid.toLowerCase(),
          clientSecret: 's3cr3t ~',
        },
      },
    ],
    ...['api://AzureADTokenExchange', 'fb60f99c-7a34-4190-8149-302f77469936'].map(
      (aud): [string, HeaderValues, object] => [
        `an assertion for ${aud}`,
        { ...app, authorization: [`Bearer ${jwt({ aud })}`] },
        {
          kind: 'clientAssertion',
          app: {
            tenantId: guid.toLowerCase(),
            clientId: guid.toLowerCase(),
            assertion: jwt({ aud }),
          },
        },
      ],
    ),
    [
      'a token for the exchange without app headers, as any bearer token',
      { ...empty, authorization: [`Bearer ${forExchange}`] },
      { kind: 'bearer', token: forExchange },
    ],
  ]
  for (const [what, headers, credentials] of read)
    t.same(readCredentials(raw(headers)), credentials, `reads ${what}`)

  const refused: [string, HeaderValues, string, RegExp][] = [
    [
      'both ways at once',
      { ...principal, authorization: ['Bearer a'] },
      'InvalidRequest',
      /must not come with x-entra/,
    ],
    [
      'a bearer token beside one x-entra header',
      { authorization: ['Bearer a'], 'x-entra-client-id': [guid] },
      'InvalidRequest',
      /must not/,
    ],
    [
      'one of the three',
      { 'x-entra-client-id': [guid] },
      'InvalidRequest',
      /x-entra-tenant-id is required.*x-entra-client-secret is required/,
    ],
    [
      'two of the three',
      { ...principal, 'x-entra-client-secret': [''] },
      'InvalidRequest',
      /x-entra-client-secret is required/,
    ],
    [
      'one of them twice',
      { ...principal, 'x-entra-client-id': [guid, guid] },
      'InvalidRequest',
      /x-entra-client-id is sent more than once/,
    ],
    [
      'a tenant that is no GUID',
      { ...principal, 'x-entra-tenant-id': ['contoso.com/../x'] },
      'InvalidRequest',
      /x-entra-tenant-id must be a GUID/,
    ],
    [
      'a client id that is no GUID',
      { ...principal, 'x-entra-client-id': ['me'] },
      'InvalidRequest',
      /x-entra-client-id must be a GUID/,
    ],
    [
      'a secret with other characters',
      { ...principal, 'x-entra-client-secret': ['é'] },
      'InvalidRequest',
      /at most 1,024 ASCII/,
    ],
    [
      'a secret that is too long',
      { ...principal, 'x-entra-client-secret': ['x'.repeat(1025)] },
      'InvalidRequest',
      /at most 1,024 ASCII/,
    ],
    [
      'an assertion beside a secret',
      { ...principal, authorization: [`Bearer ${forExchange}`] },
      'InvalidRequest',
      /x-entra-client-secret must not come with an assertion/,
    ],
    [
      'an assertion without a tenant',
      { 'x-entra-client-id': [guid], authorization: [`Bearer ${forExchange}`] },
      'InvalidRequest',
      /x-entra-tenant-id is required/,
    ],
    [
      'an assertion beside a client id that is no GUID',
      { ...app, 'x-entra-client-id': ['me'], authorization: [`Bearer ${forExchange}`] },
      'InvalidRequest',
      /x-entra-client-id must be a GUID/,
    ],
    [
      'an assertion twice',
      { ...app, authorization: [`Bearer ${forExchange}`, `Bearer ${forExchange}`] },
      'InvalidRequest',
      /must not come with x-entra/,
    ],
    ...[
      { aud: guid },
      { aud: 'constructor' },
      { aud: { toString: 1 } },
      {},
      null,
      'text',
      { aud: 7 },
    ].map((claims): [string, HeaderValues, string, RegExp] => [
      `a token beside app headers that says ${JSON.stringify(claims).slice(0, 50)}`,
      { ...app, authorization: [`Bearer ${jwt(claims)}`] },
      'InvalidRequest',
      /must not come with x-entra/,
    ]),
    [
      'a token beside app headers that nests deeply',
      {
        ...app,
        authorization: [`Bearer ${jwtOf(`{"aud":${'['.repeat(9000)}${']'.repeat(9000)}}`)}`],
      },
      'InvalidRequest',
      /must not come with x-entra/,
    ],
    [
      'another scheme beside app headers',
      { ...app, authorization: ['Basic YTpi'] },
      'InvalidRequest',
      /must not come with x-entra/,
    ],
    [
      'Authorization twice',
      { authorization: ['Bearer a', 'Bearer b'] },
      'InvalidToken',
      /more than once/,
    ],
    [
      'another scheme',
      { authorization: ['Basic YTpi'] },
      'AuthenticationRequired',
      /no bearer token/,
    ],
    [
      'a scheme without a token',
      { authorization: ['Bearer'] },
      'AuthenticationRequired',
      /no bearer token/,
    ],
    [
      'a token without its scheme',
      { authorization: ['a.b.c'] },
      'AuthenticationRequired',
      /no bearer token/,
    ],
  ]
  for (const [what, headers, code, message] of refused) {
    t.throws(() => readCredentials(raw(headers)), { code, message }, `refuses ${what}`)
    try {
      readCredentials(raw(headers))
    } catch (error) {
      t.notOk(JSON.stringify(error).includes('s3cr3t'), what)
    }
  }
})

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

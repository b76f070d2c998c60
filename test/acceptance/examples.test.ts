import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { definition } from '../helpers/document-checks.ts'
import { apiConnectionRequest, openApiConnectionRequest } from '../helpers/platform/connector.ts'
import { createHub } from '../helpers/platform/hub.ts'
import {
  runWorkflow,
  type WorkflowOptions,
  type WorkflowRun,
} from '../helpers/platform/workflow.ts'
import { sandbox } from '../helpers/sandbox-world.ts'

const properties = JSON.parse(readFileSync('apiProperties.json', 'utf8'))
const read = (path: string) => JSON.parse(readFileSync(`examples/${path}`, 'utf8'))
const variants = ['submit-and-wait', 'submit-and-loop']

/** The app that the sandbox knows. */
const app = {
  tenant: '5a4db0c5-0000-4000-8000-0000000000aa',
  clientId: '5a4db0c5-0000-4000-8000-0000000000ac',
  clientSecret: 'sandbox-secret',
}

const fingerprint = (prompt: string): RegExp =>
  new RegExp(`fingerprint ${createHash('sha256').update(prompt).digest('hex').slice(0, 12)}`)

/** Asks a question by one run of a workflow. */
type Ask = (question: string) => Promise<WorkflowRun>

/** What holds of every workflow, whichever engine runs it. */
async function answersAsPromised(t: Test, ask: Ask): Promise<void> {
  await t.test('gets the answer to its own question', async t => {
    const question = 'Who signed in?'
    const { status, outputs } = await ask(question)
    t.equal(status, 'Succeeded')
    t.match(outputs['Answer'], fingerprint(question))
  })

  await t.test('goes on when the service fails twice, and runs the prompt once', async t => {
    const question = 'Who signed in? [sim:createSession=503,60x2]'
    t.match((await ask(question)).outputs['Answer'], fingerprint(question))
  })

  await t.test('ends as failed, with the result type, when there is no answer', async t => {
    const { status, error } = await ask('Who signed in? [sim:result=capacityExceeded]')
    t.same([status, error?.code], ['Failed', 'CapacityExceeded'])
  })

  await t.test('ends as failed, with the service’s code, when the service refuses', async t => {
    const { status, error } = await ask(' ')
    t.same([status, error?.code], ['Failed', 'InvalidRequest'])
  })
}

/** A connection of a connector on a sandbox, and the engine's way to it. */
async function connected(
  t: Test,
  connectionParameters: Record<string, string> = {},
  env: Record<string, string> = {},
) {
  const { url, clock } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '5', ...env })
  const hub = await createHub(t, { definition, properties, connectionParameters, backend: url })
  return { hub, engine: { clock, resolve: hub.resolve } }
}

/** What holds of every workflow that runs the sandbox's promptbook of 7 prompts. */
async function runsThePromptbook(t: Test, run: Ask): Promise<void> {
  await t.test('gets the answers to all prompts, each with its inputs', async t => {
    const { status, outputs } = await run('4711')
    t.equal(status, 'Succeeded')
    const answers: any[] = outputs['Answers']
    t.equal(answers.length, 7)
    t.match(answers[0].promptContent, /^Summarize incident 4711 of Microsoft Sentinel\./)
    t.match(answers[6].promptContent, /^Write a report for the manager on call:/)
    for (const { promptContent, evaluationResultContent, EvaluationResultContent } of answers)
      t.match(evaluationResultContent ?? EvaluationResultContent, fingerprint(promptContent))
    t.match(outputs['Report'], fingerprint(answers[6].promptContent))
  })

  await t.test('goes on when the service fails twice, and loses no prompt', async t => {
    const { status, outputs } = await run('4711 [sim:createSession=503,60x2]')
    t.same([status, outputs['Answers']?.length], ['Succeeded', 7])
  })

  await t.test('ends as failed, and says why, when a prompt has no answer', async t => {
    const { status, error } = await run('4711 [sim:result=rejected]')
    t.same([status, error?.code], ['Failed', 'Failed'])
    t.not(error?.message, '')
  })

  await t.test('ends as failed, with the service’s code, when the service refuses', async t => {
    const { status, error } = await run('4711 [sim:createSession=403]')
    t.same([status, error?.code], ['Failed', 'GraphForbidden'])
  })

  await t.test('ends as failed, and says why, when a prompt is refused', async t => {
    const { status, error } = await run('4711 [sim:createPrompt=403]')
    t.same([status, error?.code], ['Failed', 'Failed'])
    t.match(error?.message, /^Cannot /)
  })
}

for (const name of ['run-promptbook-and-wait', 'run-promptbook-and-loop']) {
  t.test(`Logic Apps with the HTTP action: ${name}`, async t => {
    const { url, clock } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '5' })
    const { definition } = read(`logic-apps-http/${name}.json`)
    const parameters = {
      service: url,
      tenantId: app.tenant,
      clientId: app.clientId,
      clientSecret: app.clientSecret,
    }
    await runsThePromptbook(t, incident =>
      runWorkflow(definition, { clock, parameters, triggerBody: { incident } }),
    )
  })

  t.test(`Power Automate with the custom connector: ${name}`, async t => {
    const { properties } = read(`power-automate/${name}.json`)
    const runThrough =
      ({ hub, engine }: Awaited<ReturnType<typeof connected>>): Ask =>
      text =>
        runWorkflow(properties.definition, {
          ...engine,
          parameters: {},
          triggerBody: { text },
          connectorRequest: openApiConnectionRequest(hub.prefix, definition),
        })
    await runsThePromptbook(t, runThrough(await connected(t)))

    await t.test('ends as failed when the budget ends between two prompts', async t => {
      const { status, error } = await runThrough(
        await connected(t, {}, { EVALUATIONS_PER_HOUR: '2' }),
      )('4711')
      t.same([status, error?.code], ['Failed', 'Failed'])
      t.match(error?.message, name.endsWith('loop') ? /^2 of 7 prompts were asked/ : /^Cannot /)
    })
  })
}

t.test('Logic Apps with the custom connector: run-promptbook-and-wait', async t => {
  const { hub, engine } = await connected(t)
  const [{ properties }] = read('logic-apps-connector/run-promptbook-and-wait.json').resources
  await runsThePromptbook(t, incident =>
    runWorkflow(properties.definition, {
      ...engine,
      parameters: { $connections: { securitycopilot: { connectionId: 'any' } } },
      triggerBody: { incident },
      connectorRequest: apiConnectionRequest(hub.prefix),
    }),
  )
})

t.test('curl: run-promptbook', async t => {
  const { url } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '0' })
  const run = promisify(execFile)
  const ask = (incident: string) =>
    run('examples/curl/run-promptbook.sh', [incident, 'the "manager" on call'], {
      env: { ...process.env, SERVICE: url, PAUSE: '0.1' },
    })

  const { stdout } = await ask('4711')
  t.equal(stdout.match(/^## /gm)?.length, 7)
  t.match(stdout, /^## Write a report for the "manager" on call:/m)
  t.match(stdout, fingerprint(/^## (Write a report .*)$/m.exec(stdout)?.[1] ?? ''))
  await t.rejects(ask('4711 [sim:result=rejected]'), { code: 2, stderr: /"Rejected"/ })
  await t.rejects(ask('4711 [sim:createPrompt=403]'), { code: 2, stderr: /"Failed"/ })
  await t.rejects(ask('4711 [sim:createSession=403]'), { code: 1, stderr: /^GraphForbidden: /m })
})

for (const variant of variants) {
  t.test(`Logic Apps with the HTTP action: ${variant}`, async t => {
    const { url, clock } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '5' })
    const { definition } = read(`logic-apps-http/${variant}.json`)
    const parameters = {
      service: url,
      tenantId: app.tenant,
      clientId: app.clientId,
      clientSecret: app.clientSecret,
    }
    await answersAsPromised(t, question =>
      runWorkflow(definition, { clock, parameters, triggerBody: { question } }),
    )
  })

  t.test(`Logic Apps with the HTTP action and a managed identity: ${variant}`, async t => {
    const { url, clock, identityToken } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '5' })
    const { definition } = read(`logic-apps-http/${variant}-identity.json`)
    const parameters = {
      service: url,
      tenantId: app.tenant,
      clientId: '5a4db0c5-0000-4000-8000-0000000000ad',
      identity: 'any',
    }
    await answersAsPromised(t, question =>
      runWorkflow(definition, { clock, identityToken, parameters, triggerBody: { question } }),
    )
  })

  t.test(`Logic Apps with the custom connector: ${variant}`, async t => {
    const { hub, engine } = await connected(t)
    const [{ properties }] = read(`logic-apps-connector/${variant}.json`).resources
    await answersAsPromised(t, question =>
      runWorkflow(properties.definition, {
        ...engine,
        parameters: { $connections: { securitycopilot: { connectionId: 'any' } } },
        triggerBody: { question },
        connectorRequest: apiConnectionRequest(hub.prefix),
      }),
    )
  })

  t.test(`Power Automate with the custom connector: ${variant}`, async t => {
    const { properties } = read(`power-automate/${variant}.json`)
    const askThrough = ({ hub, engine }: Awaited<ReturnType<typeof connected>>): Ask => {
      const options: Omit<WorkflowOptions, 'triggerBody'> = {
        ...engine,
        parameters: {},
        connectorRequest: openApiConnectionRequest(hub.prefix, definition),
      }
      return question =>
        runWorkflow(properties.definition, { ...options, triggerBody: { text: question } })
    }
    await answersAsPromised(t, askThrough(await connected(t)))

    await t.test(
      'sends the three headers empty for an Oauth connection, and is understood',
      async t => {
        const connection = await connected(t)
        t.equal((await askThrough(connection)('Hello')).status, 'Succeeded')
        t.match(connection.hub.seen[0], {
          'x-entra-tenant-id': '',
          'x-entra-client-id': '',
          'x-entra-client-secret': '',
        })
      },
    )

    await t.test('calls as the service principal of the connection', async t => {
      t.equal((await askThrough(await connected(t, app))('Hello')).status, 'Succeeded')
      const wrong = await askThrough(await connected(t, { ...app, clientSecret: 'guess' }))('Hello')
      t.same([wrong.status, wrong.error?.code], ['Failed', 'InvalidClientCredentials'])
    })
  })

  t.test(`curl: ${variant}`, async t => {
    const { url } = await sandbox(t, { SUBMIT_WAIT_SECONDS: '0' })
    const run = promisify(execFile)
    const ask = (question: string) =>
      run(`examples/curl/${variant}.sh`, [question], {
        env: { ...process.env, SERVICE: url, PAUSE: '0.1' },
      })

    const question = `"Who" signed in? [sim:seconds=0]`
    t.match((await ask(question)).stdout, fingerprint(question))
    await t.rejects(ask('Hello [sim:seconds=0] [sim:result=rejected]'), {
      code: 2,
      stderr: /"Rejected"/,
    })
    await t.rejects(ask(' '), { code: 1, stderr: /^InvalidRequest: /m })
  })
}

t.test('every example is run here', async t => {
  const shipped = readdirSync('examples', { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile(),
  )
  const expected = ['logic-apps-http', 'logic-apps-connector', 'power-automate', 'curl'].flatMap(
    folder =>
      variants.map(variant => `examples/${folder}/${variant}.${folder === 'curl' ? 'sh' : 'json'}`),
  )
  t.same(
    new Set(shipped.map(({ parentPath, name }) => `${parentPath}/${name}`)),
    new Set([
      ...expected,
      ...variants.map(variant => `examples/logic-apps-http/${variant}-identity.json`),
      'examples/logic-apps-http/run-promptbook-and-wait.json',
      'examples/logic-apps-http/run-promptbook-and-loop.json',
      'examples/logic-apps-connector/run-promptbook-and-wait.json',
      'examples/power-automate/run-promptbook-and-wait.json',
      'examples/power-automate/run-promptbook-and-loop.json',
      'examples/curl/run-promptbook.sh',
      'examples/logic-apps-connector/connector.json',
      // These two are run in client-files.test.ts.
      'examples/http/security-copilot.http',
      'examples/postman/security-copilot.postman_collection.json',
    ]),
  )
})

t.test(
  'the ARM templates name only parameters that they declare, and the resources they stand on',
  async t => {
    for (const name of ['connector', 'run-promptbook-and-wait', ...variants]) {
      const template = read(`logic-apps-connector/${name}.json`)
      const expressions: string[] = []
      JSON.stringify(template, (_key, value) => {
        if (typeof value === 'string' && /^\[[^[]/.test(value)) expressions.push(value)
        return value
      })
      const named = expressions.flatMap(text =>
        Array.from(text.matchAll(/parameters\('(\w+)'\)/g), ([, one]) => one),
      )
      t.same(new Set(named), new Set(Object.keys(template.parameters)), name)
      for (const text of expressions) t.match(text, /\]$/)
    }
    const [customApi, connection] = read('logic-apps-connector/connector.json').resources
    t.equal(customApi.type, 'Microsoft.Web/customApis')
    t.same(connection.dependsOn, [connection.properties.api.id])
    t.same(
      Object.keys(customApi.properties.connectionParameters.token.oAuthSettings).filter(
        key => key !== 'clientSecret',
      ),
      Object.keys(properties.properties.connectionParameters.token.oAuthSettings),
    )
    t.equal(customApi.properties.brandColor, properties.properties.iconBrandColor)
  },
)

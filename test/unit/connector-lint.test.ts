import t from 'tap'
import { agreementRules } from '../../scripts/connector-lint/agreement-rules.ts'
import { lintConnector, readConnectorFiles } from '../../scripts/connector-lint/connector-files.ts'
import { definitionRules } from '../../scripts/connector-lint/definition-rules.ts'
import { propertiesRules } from '../../scripts/connector-lint/properties-rules.ts'
import { referenceRules } from '../../scripts/connector-lint/reference-rules.ts'
import type { Json, Rule } from '../../scripts/connector-lint/rule.ts'

type Breach = (subject: Json) => unknown

/** Each rule by its name, with a change that breaks it, or several. */
type Breaches = Record<string, Breach | Breach[]>

const fetchPath = '/sessions/{sessionId}/prompts/{promptId}/evaluations/{evaluationId}'
const submitOf = ({ paths }: Json): Json => paths['/process-prompt'].post
const fetchOf = ({ paths }: Json): Json => paths[fetchPath].get
const bodyOf = (definition: Json): Json =>
  submitOf(definition).parameters.find((one: Json) => one.in === 'body')
const resultOf = ({ definitions }: Json): Json => definitions.EvaluationResult

const definitionBreaches: Breaches = {
  'the title has at most 30 characters': ({ info }) => (info.title = 'x'.repeat(31)),
  'the title does not say API, Connector or a product of the platform': ({ info }) =>
    (info.title = 'Copilot connector'),
  'the description has 30 to 500 characters': ({ info }) => (info.description = 'Too short.'),
  'the description names no product of the platform': ({ info }) =>
    (info.description += ' For Power Automate.'),
  'there is a contact with name and URL, and with no e-mail address but one that exists': [
    ({ info }) => delete info.contact.url,
    ({ info }) => (info.contact.email = 'operator@copilot.example.com'),
    ({ info }) => (info.contact.email = 'nobody'),
  ],
  'the metadata has a website and a privacy policy': definition =>
    definition['x-ms-connector-metadata'].shift(),
  'the metadata has one to three known categories': definition =>
    (definition['x-ms-connector-metadata'][2].propertyValue = 'Magic'),
  'it is in English: printable ASCII only': ({ info }) => (info.description += ' Größe.'),
  'it is Swagger 2.0': definition => (definition.swagger = '3.1.0'),
  'it is smaller than 1 MB': ({ info }) => (info['x-padding'] = 'x'.repeat(1_000_000)),
  'https is the only scheme': ({ schemes }) => schemes.push('http'),
  'the host is a bare name': definition => (definition.host = 'https://copilot.example'),
  'the base path begins with a slash': definition => (definition.basePath = 'v1'),
  'it consumes and produces known MIME types': ({ produces }) =>
    produces.push('application/problem+json'),
  'no two paths are the same but for case and the names of parameters, and none has a query': ({
    paths,
  }) => (paths['/Process-Prompt'] = paths['/process-prompt']),
  'an operation id is PascalCase, of letters and digits': definition =>
    (submitOf(definition).operationId = 'submit_prompt'),
  'no operation id is used twice': definition =>
    (submitOf(definition).operationId = 'FetchPromptStatus'),
  'a summary has at most 80 characters, ends with a letter, digit or parenthesis, and has none of /\\<>*%&?':
    definition => (submitOf(definition).summary += '.'),
  'a description is a full sentence that ends with a full stop, and not the summary': definition =>
    (submitOf(definition).description = `${submitOf(definition).summary}.`),
  'an operation says who sees it': definition => delete submitOf(definition)['x-ms-visibility'],
  'a family has its first revision, and is no further than the connector': [
    definition => (submitOf(definition)['x-ms-api-annotation'].status = 'Production'),
    definition => delete submitOf(definition)['x-ms-api-annotation'],
  ],
  'a parameter has a summary in title case and a description': definition =>
    (fetchOf(definition).parameters[0]['x-ms-summary'] = 'session id'),
  'a path parameter is required and encoded once': definition =>
    delete fetchOf(definition).parameters[0]['x-ms-url-encoding'],
  'no other parameter says how it is encoded': definition =>
    (bodyOf(definition)['x-ms-url-encoding'] = 'single'),
  'a body is required': definition => delete bodyOf(definition).required,
  'a hidden parameter with a default is required': definition =>
    Object.assign(submitOf(definition).parameters[1], {
      'x-ms-visibility': 'internal',
      default: 'x',
    }),
  'no parameter is called connectionId': definition =>
    (submitOf(definition).parameters[1].name = 'connectionId'),
  'an operation has 200 with a schema': [
    definition => delete fetchOf(definition).responses['200'].schema,
    definition => delete fetchOf(definition).responses['200'],
  ],
  'no other response has a schema: designers use one only': definition =>
    (submitOf(definition).responses['202'].schema = { type: 'object' }),
  'a response has a description': definition =>
    delete submitOf(definition).responses['400'].description,
  '429 says when to try again': definition => delete submitOf(definition).responses['429'].headers,
  '202 says where and when to poll': definition =>
    delete submitOf(definition).responses['202'].headers.Location,
  'a property has a summary in title case, a title and a description': definition =>
    delete resultOf(definition).properties.sessionId.description,
  'an array says what its items are': definition =>
    delete resultOf(definition).properties.nextPromptSuggestions.items,
  'required stands on an object, is not empty and names properties that are there': definition =>
    resultOf(definition).required.push('nowhere'),
  'a default has the type of its schema': [
    definition => (resultOf(definition).properties.sessionId.default = 1),
    definition => (resultOf(definition).properties.sessionId.default = []),
  ],
  'a format is one that the platform knows': definition =>
    (resultOf(definition).properties.sessionId.format = 'duration'),
  'a schema has one type, and no keyword of OpenAPI 3': definition =>
    (resultOf(definition).properties.skillName.type = ['string', 'null']),
  'nothing stands beside a reference': definition =>
    (fetchOf(definition).responses['200'].schema.description = 'Beside it.'),
  'every reference leads to a definition, and every definition is referred to': ({ definitions }) =>
    (definitions.Orphan = { type: 'object' }),
  'the root has known extensions only': definition => (definition['x-ms-openai-data'] = {}),
  'info has known extensions only': ({ info }) => (info['x-ms-unknown'] = true),
  'an operation has known extensions only': definition =>
    (submitOf(definition)['x-ms-long-running-operation'] = true),
  'a parameter and a schema have known extensions only': definition =>
    (resultOf(definition).properties.sessionId['x-ms-unknown'] = true),
  'every security requirement is defined, and names declared scopes only': ({ security }) =>
    security.push({ nowhere: [] }),
}

const referenceBreaches: Breaches = {
  'an action has its title of the reference page': definition =>
    (fetchOf(definition).summary = 'Fetch the status'),
  'a key has its title of the reference page': [
    definition => (resultOf(definition).properties.sessionId['x-ms-summary'] = 'Session ID'),
    definition => (fetchOf(definition).parameters[1]['x-ms-summary'] = 'Session ID'),
  ],
  'an id is a plain string': [
    definition => (resultOf(definition).properties.promptId.format = 'uuid'),
    definition => (bodyOf(definition).schema.properties.SessionId.pattern = '^$'),
  ],
  'Fetch prompt status lists evaluationId, sessionId and promptId': definition =>
    fetchOf(definition).parameters.push(fetchOf(definition).parameters.shift()),
  'the root of a response has no title: designers put it before each name in it': definition =>
    (resultOf(definition).title = 'Evaluation Result'),
  'the connector says that answers must be checked': ({ info }) =>
    (info.description = 'Asks Security Copilot and returns its answers.'),
  'what runs prompts says that answers must be checked': definition =>
    (submitOf(definition).description = 'Runs a prompt and returns the answer.'),
  'a header has no value by default: a fixed key makes the second prompt an error': definition =>
    (submitOf(definition).parameters[2].default = 'key'),
  'a picker is filled by an internal GET of this definition': definition =>
    (bodyOf(definition).schema.properties.Skillsets.items['x-ms-dynamic-values'] = {
      operationId: 'FetchPromptStatus',
    }),
}

const setOf = ({ properties }: Json, at: number): Json =>
  properties.connectionParameterSets.values[at]
const tokenOf = (file: Json): Json => setOf(file, 0).parameters.token
const secretOf = (file: Json): Json => setOf(file, 1).parameters.clientSecret
const policyOf = ({ properties }: Json): Json => properties.policyTemplateInstances[0]

const propertiesBreaches: Breaches = {
  'the root has properties and nothing else': file => (file.version = 1),
  'every property is one that the platform knows': ({ properties }) =>
    (properties.privacyPolicy = 'x'),
  'the brand colour is a colour of our own': ({ properties }) =>
    (properties.iconBrandColor = '#007EE5'),
  'there is no stackOwner: it prevents paconn update': ({ properties }) =>
    (properties.stackOwner = 'us'),
  'the single, older parameters equal those of the first set': ({ properties }) =>
    delete properties.connectionParameters['token:TenantId'],
  'the sets are Oauth and OauthServicePrincipal': file => (setOf(file, 0).name = 'oauth'),
  'the sets are titled as on the reference page': file =>
    (setOf(file, 0).uiDefinition.displayName = 'Sign in'),
  'there is a publisher': ({ properties }) => delete properties.publisher,
  'a set has a name and a description to show, and is not shared': file =>
    (setOf(file, 1).metadata.allowSharing = true),
  'a parameter has a name that the platform accepts': file =>
    (setOf(file, 1).parameters['client-id'] = secretOf(file)),
  'a parameter has a type that the platform knows': file => (secretOf(file).type = 'password'),
  'a parameter that is shown is required, and says what it is': file =>
    (secretOf(file).uiDefinition.constraints.required = 'false'),
  'required and hidden are strings, clearText is a boolean': file =>
    (secretOf(file).uiDefinition.constraints.required = true),
  'a secret is a securestring': file => (secretOf(file).type = 'string'),
  'OAuth stands at token.oAuthSettings, where paconn puts the secret': file => {
    tokenOf(file).oauthSettings = tokenOf(file).oAuthSettings
    delete tokenOf(file).oAuthSettings
  },
  'OAuth is Entra, with the resource asked for': [
    file => delete tokenOf(file).oAuthSettings.customParameters.resourceUri,
    file => delete tokenOf(file).oAuthSettings,
  ],
  'the redirect is the connector’s own': file =>
    (tokenOf(file).oAuthSettings.redirectMode = 'Global'),
  'there is no secret inside': file => (tokenOf(file).oAuthSettings.clientSecret = 'hunter2'),
  'a policy has a title and a template that the platform knows': file =>
    (policyOf(file).templateId = 'throttle'),
  'a policy reads parameters that are there, with a default for the sets that lack them': file =>
    (policyOf(file).parameters['x-ms-apimTemplateParameter.value'] =
      "@connectionParameters('tenant')"),
}

const agreementBreaches: Breaches = {
  'OAuth in the definition goes with Entra in the properties': ({ definition }) =>
    (definition.securityDefinitions = { basic: { type: 'basic' } }),
  'the policies send the three headers of a service principal, and no other': ({ properties }) =>
    properties.properties.policyTemplateInstances.pop(),
  'a header that a policy sends is no parameter of the definition': ({ definition }) =>
    submitOf(definition).parameters.push({ name: 'x-entra-tenant-id', in: 'header' }),
  'the icon is a square PNG of 100 to 230 pixels a side': ({ icon }) => icon.writeUInt32BE(500, 16),
}

const files = readConnectorFiles()

const suites: [string, readonly Rule[], Breaches, Json][] = [
  ['apiDefinition.swagger.json', definitionRules, definitionBreaches, files.definition],
  ['the reference page', referenceRules, referenceBreaches, files.definition],
  ['apiProperties.json', propertiesRules, propertiesBreaches, files.properties],
  ['the connector’s files', agreementRules, agreementBreaches, files],
]

for (const [file, rules, breaches, subject] of suites) {
  t.test(file, async t => {
    t.same(
      rules.map(({ name }) => name),
      Object.keys(breaches),
      'every rule is known to find what breaks it',
    )
    for (const { name, check } of rules) {
      await t.test(name, async t => {
        t.same(check(subject), [])

        for (const breach of [breaches[name] ?? []].flat()) {
          const broken = structuredClone(subject)
          if (broken.icon) broken.icon = Buffer.from(subject.icon)
          breach(broken)
          t.not(check(broken).length, 0)
        }
      })
    }
  })
}

t.test('lintConnector() names each breach and where it is', async t => {
  const broken = structuredClone(files.definition)
  delete fetchOf(broken).responses['429'].headers
  t.same(lintConnector(files), [])
  t.same(lintConnector({ ...files, definition: broken }), [
    'FetchPromptStatus: 429 says when to try again',
  ])
})

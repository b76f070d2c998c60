import { each, whole, type Json, type Rule } from './rule.ts'

const types = new Set(['string', 'securestring', 'int', 'bool', 'gatewaySetting', 'oauthSetting'])
const templates = new Set([
  'setheader',
  'setqueryparameter',
  'dynamichosturl',
  'routerequesttoendpoint',
  'setproperty',
  'updatenextlink',
])
const rootKeys = new Set([
  'iconBrandColor',
  'publisher',
  'stackOwner',
  'capabilities',
  'connectionParameters',
  'connectionParameterSets',
  'policyTemplateInstances',
])

/** Names and descriptions of the connection types, as the connector's reference page has them. */
const titles = [
  'Oauth',
  'Provide Microsoft Entra ID credentials',
  'Service principal authentication',
  'Use your own Microsoft Entra ID app for service principal authentication.',
]

const sets = ({ properties }: Json): [string, Json][] =>
  properties.connectionParameterSets.values.map((set: Json): [string, Json] => [set.name, set])

/** Every parameter of every set and of the single one. */
const parameters = (file: Json): [string, Json][] =>
  [
    ['connectionParameters', { parameters: file.properties.connectionParameters }] as [
      string,
      Json,
    ],
    ...sets(file),
  ].flatMap(([where, set]) =>
    Object.entries(set.parameters).map(([name, one]): [string, Json] => [
      `${where} ${name}`,
      { name, ...(one as object) },
    ]),
  )

const oauthSettings = (file: Json): [string, Json][] =>
  parameters(file)
    .filter(([, { type }]) => type === 'oauthSetting')
    .map(([where, parameter]) => [where, parameter])

const policies = ({ properties }: Json): [string, Json][] =>
  properties.policyTemplateInstances.map((policy: Json): [string, Json] => [policy.title, policy])

/** Names of connection parameters that an expression reads, each with whether it has a default. */
const reads = (policy: Json): { name: string; defaulted: boolean }[] =>
  Array.from(
    JSON.stringify(policy).matchAll(/@connectionParameters\('([^']+)'(,'[^']*')?\)/g),
    ([, name = '', rest]) => ({
      name,
      defaulted: rest !== undefined,
    }),
  )

/** What the platform asks of apiProperties.json. */
export const propertiesRules: readonly Rule[] = [
  whole('the root has properties and nothing else', file =>
    Object.keys(file).every(key => ['$schema', 'properties'].includes(key)),
  ),
  whole('every property is one that the platform knows', ({ properties }) =>
    Object.keys(properties).every(key => rootKeys.has(key)),
  ),
  whole(
    'the brand colour is a colour of our own',
    ({ properties: { iconBrandColor } }) =>
      /^#[0-9a-f]{6}$/i.test(iconBrandColor) &&
      !['#007ee5', '#ffffff', '#da3b01'].includes(iconBrandColor.toLowerCase()),
  ),
  whole(
    'there is no stackOwner: it prevents paconn update',
    ({ properties }) => !('stackOwner' in properties),
  ),
  whole(
    'the single, older parameters equal those of the first set',
    ({ properties }) =>
      JSON.stringify(properties.connectionParameters) ===
      JSON.stringify(properties.connectionParameterSets.values[0].parameters),
  ),
  whole(
    'the sets are Oauth and OauthServicePrincipal',
    file =>
      sets(file)
        .map(([name]) => name)
        .join() === 'Oauth,OauthServicePrincipal',
  ),
  whole(
    'the sets are titled as on the reference page',
    file =>
      sets(file)
        .map(([, { uiDefinition }]) =>
          [uiDefinition?.displayName, uiDefinition?.description].join(),
        )
        .join() === titles.join(),
  ),
  whole('there is a publisher', ({ properties }) => Boolean(properties.publisher)),
  each(
    'a set has a name and a description to show, and is not shared',
    sets,
    ({ uiDefinition, metadata }) =>
      Boolean(uiDefinition?.displayName) &&
      Boolean(uiDefinition.description) &&
      metadata?.allowSharing === false,
  ),
  each('a parameter has a name that the platform accepts', parameters, ({ name }) =>
    /^(\w+:)?[0-9a-zA-Z_]+$/.test(name),
  ),
  each('a parameter has a type that the platform knows', parameters, ({ type }) => types.has(type)),
  each(
    'a parameter that is shown is required, and says what it is',
    parameters,
    ({ type, uiDefinition }) => {
      const { constraints } = uiDefinition ?? {}
      if (type === 'oauthSetting' || constraints?.hidden === 'true') return true
      return (
        constraints?.required === 'true' &&
        Boolean(uiDefinition.displayName) &&
        Boolean(uiDefinition.description)
      )
    },
  ),
  each(
    'required and hidden are strings, clearText is a boolean',
    parameters,
    ({ uiDefinition }) => {
      const {
        required = 'true',
        hidden = 'true',
        clearText = false,
      } = uiDefinition?.constraints ?? {}
      return (
        [required, hidden].every(value => ['true', 'false'].includes(value)) &&
        typeof clearText === 'boolean'
      )
    },
  ),
  each(
    'a secret is a securestring',
    parameters,
    ({ name, type }) => !/secret/i.test(name) || type === 'securestring',
  ),
  each(
    'OAuth stands at token.oAuthSettings, where paconn puts the secret',
    oauthSettings,
    ({ name, oAuthSettings }) => name === 'token' && Boolean(oAuthSettings),
  ),
  each('OAuth is Entra, with the resource asked for', oauthSettings, ({ oAuthSettings }) => {
    const { identityProvider, properties, customParameters } = oAuthSettings ?? {}
    const resource = customParameters?.resourceUri?.value
    return (
      identityProvider === 'aad' &&
      Boolean(resource) &&
      properties.AzureActiveDirectoryResourceId === resource
    )
  }),
  each(
    'the redirect is the connector’s own',
    oauthSettings,
    ({ oAuthSettings }) => oAuthSettings?.redirectMode === 'GlobalPerConnector',
  ),
  whole('there is no secret inside', file => !/"clientSecret":"/i.test(JSON.stringify(file))),
  each(
    'a policy has a title and a template that the platform knows',
    policies,
    ({ title, templateId }) => Boolean(title) && templates.has(String(templateId).toLowerCase()),
  ),
  {
    name: 'a policy reads parameters that are there, with a default for the sets that lack them',
    check(file) {
      const everySet = sets(file).map(([, set]) => Object.keys(set.parameters))
      return policies(file)
        .filter(([, policy]) =>
          reads(policy).some(
            ({ name, defaulted }) =>
              !everySet.some(names => names.includes(name)) ||
              (!defaulted && !everySet.every(names => names.includes(name))),
          ),
        )
        .map(([title]) => title)
    },
  },
]

import {
  objects,
  operations,
  parameters,
  properties,
  responses,
  schemas,
} from './definition-parts.ts'
import { each, whole, type Json, type Rule } from './rule.ts'

const categories =
  'AI, Business Management, Business Intelligence, Collaboration, Commerce, Communication, Content and Files, Data, Finance, Human Resources, Internet of Things, IT Operations, Lifestyle and Entertainment, Marketing, Productivity, Sales and CRM, Security, Social Media, Website'.split(
    ', ',
  )
const mimeTypes = new Set([
  'application/json',
  'text/plain',
  'multipart/form-data',
  'application/x-www-form-urlencoded',
])
const formats = new Set(
  'int32,int64,float,double,byte,binary,date,date-time,password,date-no-tz,email,html,uri,uuid'.split(
    ',',
  ),
)
const extensions = {
  root: ['x-ms-capabilities', 'x-ms-connector-metadata', 'x-ms-docs'],
  info: ['x-ms-deployment-version', 'x-ms-api-annotation'],
  operation: [
    'x-ms-summary',
    'x-ms-visibility',
    'x-ms-api-annotation',
    'x-ms-no-generic-test',
    'x-ms-safe-operation',
    'x-ms-pageable',
  ],
  value: [
    'x-ms-summary',
    'x-ms-visibility',
    'x-ms-url-encoding',
    'x-ms-test-value',
    'x-ms-enum-values',
    'x-ms-dynamic-values',
    'x-ms-dynamic-list',
    'x-ms-dynamic-schema',
    'x-ms-dynamic-properties',
  ],
}

const productWords = /power (apps|automate|platform|bi)|logic apps|copilot studio/i
const titleCase = /^[A-Z0-9][\w()-]*( ([A-Z0-9(][\w()-]*|of|a|and|in|to))*$/
const isUrl = (text: Json): boolean => typeof text === 'string' && URL.canParse(text)
/** Certification wants an address; none is better than one that nobody reads. */
const isAddress = (text: Json): boolean =>
  text === undefined ||
  (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(text) && !/[@.]example(\.\w+)?$/.test(text))
const metadata = (definition: Json, name: string): Json =>
  definition['x-ms-connector-metadata'].find((entry: Json) => entry.propertyName === name)
    ?.propertyValue
const isSuccess = (status: string): boolean => /^2\d\d$/.test(status)
const msKeys = (thing: Json): string[] => Object.keys(thing).filter(key => key.startsWith('x-ms-'))
const withoutDuplicates = (values: string[]): boolean => new Set(values).size === values.length
const typeOf = (value: Json): string => (Array.isArray(value) ? 'array' : typeof value)

/** Titles, texts and who answers for them. */
const textRules: Rule[] = [
  whole('the title has at most 30 characters', ({ info }) => info.title.length <= 30),
  whole(
    'the title does not say API, Connector or a product of the platform',
    ({ info }) => !/\b(api|connector)\b/i.test(info.title) && !productWords.test(info.title),
  ),
  whole(
    'the description has 30 to 500 characters',
    ({ info: { description = '' } }) => description.length >= 30 && description.length <= 500,
  ),
  whole(
    'the description names no product of the platform',
    ({ info }) => !productWords.test(info.description),
  ),
  whole(
    'there is a contact with name and URL, and with no e-mail address but one that exists',
    ({ info: { contact = {} } }) =>
      Boolean(contact.name) && isUrl(contact.url) && isAddress(contact.email),
  ),
  whole(
    'the metadata has a website and a privacy policy',
    definition =>
      isUrl(metadata(definition, 'Website')) && isUrl(metadata(definition, 'Privacy policy')),
  ),
  whole('the metadata has one to three known categories', definition => {
    const named = String(metadata(definition, 'Categories')).split(';')
    return named.length <= 3 && named.every(name => categories.includes(name))
  }),
  whole('it is in English: printable ASCII only', definition =>
    /^[\x20-\x7e]*$/.test(JSON.stringify(definition)),
  ),
]

/** Where the service is. */
const addressRules: Rule[] = [
  whole('it is Swagger 2.0', ({ swagger }) => swagger === '2.0'),
  whole(
    'it is smaller than 1 MB',
    definition => JSON.stringify(definition, undefined, 4).length < 1_000_000,
  ),
  whole('https is the only scheme', ({ schemes }) => JSON.stringify(schemes) === '["https"]'),
  whole('the host is a bare name', ({ host }) => /^[^{}/ :\\]+(?::\d+)?$/.test(host)),
  whole('the base path begins with a slash', ({ basePath }) => basePath.startsWith('/')),
  whole('it consumes and produces known MIME types', ({ consumes = [], produces = [] }) =>
    [consumes, produces].every(
      types => types.length > 0 && types.every((type: string) => mimeTypes.has(type)),
    ),
  ),
  {
    name: 'no two paths are the same but for case and the names of parameters, and none has a query',
    check({ paths }) {
      const shapes = Object.keys(paths).map(path => path.toLowerCase().replaceAll(/\{\w+\}/g, '{}'))
      return shapes.filter(
        (shape, at) => /[?#]/.test(shape) || !shape.startsWith('/') || shapes.indexOf(shape) !== at,
      )
    },
  },
]

/** What makers see as actions. */
const operationRules: Rule[] = [
  each('an operation id is PascalCase, of letters and digits', operations, ({ operationId }) =>
    /^[A-Z][A-Za-z0-9]+$/.test(operationId),
  ),
  whole('no operation id is used twice', definition =>
    withoutDuplicates(operations(definition).map(([id]) => id)),
  ),
  each(
    'a summary has at most 80 characters, ends with a letter, digit or parenthesis, and has none of /\\<>*%&?',
    operations,
    ({ summary = '' }) => /^[A-Z][^/\\<>*%&?]{0,78}[A-Za-z0-9)]$/.test(summary),
  ),
  each(
    'a description is a full sentence that ends with a full stop, and not the summary',
    operations,
    operation =>
      /^[A-Z].+\.$/s.test(operation.description) &&
      operation.description !== `${operation.summary}.`,
  ),
  each('an operation says who sees it', operations, operation =>
    ['important', 'advanced', 'internal', 'none'].includes(operation['x-ms-visibility']),
  ),
  each(
    'a family has its first revision, and is no further than the connector',
    operations,
    operation => {
      const { family, revision, status } = operation['x-ms-api-annotation'] ?? {}
      return (
        Boolean(family) && Number.isInteger(revision) && revision >= 1 && status !== 'Production'
      )
    },
  ),
]

/** What makers fill in. */
const parameterRules: Rule[] = [
  each(
    'a parameter has a summary in title case and a description',
    parameters,
    parameter =>
      titleCase.test(parameter['x-ms-summary']) &&
      parameter['x-ms-summary'].length <= 80 &&
      Boolean(parameter.description),
  ),
  each(
    'a path parameter is required and encoded once',
    parameters,
    parameter =>
      parameter.in !== 'path' ||
      (parameter.required === true && parameter['x-ms-url-encoding'] === 'single'),
  ),
  each(
    'no other parameter says how it is encoded',
    parameters,
    parameter => parameter.in === 'path' || !('x-ms-url-encoding' in parameter),
  ),
  each(
    'a body is required',
    parameters,
    parameter => parameter.in !== 'body' || parameter.required === true,
  ),
  each(
    'a hidden parameter with a default is required',
    parameters,
    parameter =>
      parameter['x-ms-visibility'] !== 'internal' ||
      !('default' in parameter) ||
      parameter.required === true,
  ),
  each('no parameter is called connectionId', parameters, ({ name }) => name !== 'connectionId'),
]

/** What makers get. */
const responseRules: Rule[] = [
  each('an operation has 200 with a schema', operations, operation =>
    Boolean(operation.responses['200']?.schema),
  ),
  each(
    'no other response has a schema: designers use one only',
    operations,
    operation =>
      Object.entries(operation.responses).filter(([, response]: Json) => response.schema).length ===
        1 &&
      Object.entries(operation.responses).every(
        ([status, response]: Json) => !response.schema || isSuccess(status),
      ),
  ),
  each('a response has a description', responses, ({ description }) => Boolean(description)),
  each(
    '429 says when to try again',
    operations,
    operation => operation.responses['429']?.headers?.['Retry-After']?.type === 'integer',
  ),
  each('202 says where and when to poll', operations, operation => {
    const { headers } = operation.responses['202'] ?? {}
    return (
      !operation.responses['202'] ||
      (headers?.Location?.type === 'string' && Boolean(headers['Retry-After']))
    )
  }),
]

/** The schemas of both. */
const schemaRules: Rule[] = [
  each(
    'a property has a summary in title case, a title and a description',
    properties,
    property =>
      '$ref' in property ||
      (titleCase.test(property['x-ms-summary']) &&
        Boolean(property.title) &&
        Boolean(property.description)),
  ),
  each(
    'an array says what its items are',
    schemas,
    schema => schema.type !== 'array' || Boolean(schema.items),
  ),
  each(
    'required stands on an object, is not empty and names properties that are there',
    schemas,
    schema =>
      schema.required === undefined ||
      (schema.type === 'object' &&
        schema.required.length > 0 &&
        schema.required.every((name: string) => name in schema.properties)),
  ),
  each(
    'a default has the type of its schema',
    schemas,
    schema => schema.default === undefined || typeOf(schema.default) === schema.type,
  ),
  each(
    'a format is one that the platform knows',
    schemas,
    ({ format }) => format === undefined || formats.has(format),
  ),
  each(
    'a schema has one type, and no keyword of OpenAPI 3',
    schemas,
    schema =>
      !Array.isArray(schema.type) &&
      !['oneOf', 'anyOf', 'nullable', 'const', 'examples', 'propertyNames', 'uniqueItems'].some(
        word => word in schema,
      ),
  ),
  each(
    'nothing stands beside a reference',
    objects,
    thing => !('$ref' in thing) || Object.keys(thing).length === 1,
  ),
  {
    name: 'every reference leads to a definition, and every definition is referred to',
    check(definition) {
      const wanted = new Set(
        objects(definition).flatMap(([, { $ref }]) =>
          typeof $ref === 'string' ? [$ref.replace(/^.*\//, '')] : [],
        ),
      )
      const there = new Set(Object.keys(definition.definitions))
      return [...wanted.symmetricDifference(there)]
    },
  },
]

/** Extensions that the public schema knows, each in its place; any other x-ms- fails there. */
const extensionRules: Rule[] = [
  whole('the root has known extensions only', definition =>
    msKeys(definition).every(key => extensions.root.includes(key)),
  ),
  whole('info has known extensions only', ({ info }) =>
    msKeys(info).every(key => extensions.info.includes(key)),
  ),
  each('an operation has known extensions only', operations, operation =>
    msKeys(operation).every(key => extensions.operation.includes(key)),
  ),
  each(
    'a parameter and a schema have known extensions only',
    definition => [...parameters(definition), ...schemas(definition)],
    thing => msKeys(thing).every(key => extensions.value.includes(key)),
  ),
]

const securityRules: Rule[] = [
  {
    name: 'every security requirement is defined, and names declared scopes only',
    check: ({ security, securityDefinitions }) =>
      security.flatMap((requirement: Json) =>
        Object.entries(requirement)
          .filter(
            ([name, scopes]: Json) =>
              !securityDefinitions[name] ||
              scopes.some((scope: string) => !(scope in securityDefinitions[name].scopes)),
          )
          .map(([name]) => name),
      ),
  },
]

/** What the platform asks of apiDefinition.swagger.json. */
export const definitionRules: readonly Rule[] = [
  ...textRules,
  ...addressRules,
  ...operationRules,
  ...parameterRules,
  ...responseRules,
  ...schemaRules,
  ...extensionRules,
  ...securityRules,
]

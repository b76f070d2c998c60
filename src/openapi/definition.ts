import { withAlso, withoutAlso } from './also-accepted.ts'
import type { Flavour } from './describe-route.ts'
import { mapSchemas, type JsonSchema } from './json-schema.ts'

/**
 * Whether designers build an input of its own for it, a list or a picker. They do so for one plain
 * type only, so that here the definition says less than the service accepts.
 */
const hasInput = (schema: JsonSchema): boolean =>
  schema.items !== undefined || Object.keys(schema).some(key => key.startsWith('x-ms-dynamic-'))

/**
 * Swagger 2.0 has no union of types: null is `x-nullable`, any other union is left open. Ids are
 * plain strings, as the connector's reference page has them. Designers show `x-ms-summary`.
 */
function downgraded(schema: JsonSchema): JsonSchema {
  const { format: given, ...withoutFormat } = schema
  const isId = given === 'uuid'
  const plain = { ...withoutFormat, ...(isId ? { maxLength: 36 } : { format: given }) }
  const { type, examples, propertyNames, format, ...rest } = hasInput(plain)
    ? withoutAlso(plain)
    : withAlso(plain)
  const types = [type ?? []].flat()
  const [value, ...others] = types.filter(one => one !== 'null')
  const hasType = value !== undefined && others.length === 0
  // Validators want what belongs to an object on one only.
  if (!hasType && rest.properties !== undefined)
    for (const keyword of ['properties', 'required', 'additionalProperties']) delete rest[keyword]
  const nullable = types.includes('null') || schema['x-null'] === true
  return {
    ...(hasType && { type: value }),
    ...(format !== undefined && { format }),
    ...rest,
    ...(rest.title !== undefined && { 'x-ms-summary': rest.title }),
    ...(hasType && nullable && { 'x-nullable': true }),
  }
}

/** A schema in the words of Swagger 2.0. Pure. */
export const toSwagger = (schema: JsonSchema): JsonSchema => mapSchemas(schema, downgraded)

/** The whole of the connector's definition is in preview, since Graph's API is a beta. */
const status = 'Preview'

/**
 * The connector's definition: what makers see and what the platform polls; only response 200 has a
 * schema.
 */
export const definitionFlavour: Flavour = {
  shows: ({ connector }) => connector !== undefined,
  operation: ({ operationId, connector }) => ({
    'x-ms-visibility': connector,
    'x-ms-api-annotation': { family: operationId, revision: 1, status },
  }),
  body: toSwagger,
  parameter(schema, where) {
    const { title, ...rest } = toSwagger(schema)
    return { ...rest, ...(where === 'path' && { 'x-ms-url-encoding': 'single' }) }
  },
  response: (httpStatus, name) => (httpStatus === 200 ? { $ref: `${name}#` } : undefined),
}

const description =
  'Asks Microsoft Security Copilot and returns its answers, through a service that your organisation hosts. ' +
  'Submit a prompt, wait for the answer or fetch its status later, and run promptbooks. ' +
  'AI-generated content may contain mistakes: check every answer for accuracy before you rely on it.'

/** Who answers for a deployment, as its settings say. */
export interface Contact {
  /** @default "Operator of this service" */
  readonly name?: string | undefined
  /** Website of the connector too. @default the reference page of the service */
  readonly url?: string | undefined
  /** @default none: nobody reads a mailbox that was made up */
  readonly email?: string | undefined
}

// The wizard's own form; the addresses used are those of apiProperties.json.
const authorizationUrl = 'https://login.windows.net/common/oauth2/authorize'

/** Everything but the operations, for a service reached at `publicUrl`. */
export function definitionFrame(publicUrl: string, version: string, contact: Contact = {}) {
  const { host, pathname, protocol } = new URL(publicUrl)
  const { name = 'Operator of this service', url = `${publicUrl}/docs`, email } = contact
  return {
    info: {
      title: 'Security Copilot (self-hosted)',
      description,
      version,
      contact: { name, url, ...(email !== undefined && { email }) },
      'x-ms-api-annotation': { status },
    },
    host,
    basePath: pathname,
    schemes: [protocol.slice(0, -1)],
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: {
      'oauth2-auth': {
        type: 'oauth2' as const,
        flow: 'accessCode' as const,
        authorizationUrl,
        tokenUrl: authorizationUrl,
        scopes: {},
      },
    },
    security: [{ 'oauth2-auth': [] }],
    'x-ms-connector-metadata': [
      { propertyName: 'Website', propertyValue: url },
      {
        propertyName: 'Privacy policy',
        propertyValue: 'https://privacy.microsoft.com/privacystatement',
      },
      { propertyName: 'Categories', propertyValue: 'Security;AI' },
    ],
  }
}

import type { Flavour } from './describe-route.ts'
import { mapSchemas, type JsonSchema } from './json-schema.ts'

/**
 * Swagger 2.0 has no union of types: null is `x-nullable`, any other union is left open. Designers
 * show `x-ms-summary`.
 */
function downgraded(schema: JsonSchema): JsonSchema {
  const { type, examples, ...rest } = schema
  const types = [type ?? []].flat()
  const values = types.filter(one => one !== 'null')
  return {
    ...(values.length === 1 && { type: values[0] as string }),
    ...rest,
    ...(rest.title !== undefined && { 'x-ms-summary': rest.title }),
    ...(values.length < types.length && { 'x-nullable': true }),
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
  'Submit a prompt, wait for the answer or fetch its status later, and follow a promptbook run.'

// The wizard's own form; the addresses used are those of apiProperties.json.
const authorizationUrl = 'https://login.windows.net/common/oauth2/authorize'

/** Everything but the operations, for a service reached at `publicUrl`. */
export function definitionFrame(publicUrl: string, version: string) {
  const { host, hostname, pathname, protocol } = new URL(publicUrl)
  return {
    info: {
      title: 'Security Copilot (self-hosted)',
      description,
      version,
      contact: {
        name: 'Operator of this service',
        url: `${publicUrl}/docs`,
        email: `operator@${hostname}`,
      },
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
      { propertyName: 'Website', propertyValue: `${publicUrl}/docs` },
      {
        propertyName: 'Privacy policy',
        propertyValue: 'https://privacy.microsoft.com/privacystatement',
      },
      { propertyName: 'Categories', propertyValue: 'Security;AI' },
    ],
  }
}

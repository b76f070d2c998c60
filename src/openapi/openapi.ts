import type { Flavour } from './describe-route.ts'
import { mapSchemas, type JsonSchema } from './json-schema.ts'

/** Connector extensions mean nothing here; a nullable value is a type of its own. */
function plain(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema).filter(([keyword]) => !keyword.startsWith('x-'))
  const { type, ...rest } = Object.fromEntries(entries) as JsonSchema
  if (type === undefined) return rest
  return { type: schema['x-nullable'] === true ? [type, 'null'].flat() : type, ...rest }
}

/** A schema in the words of OpenAPI 3.1. Pure. */
export const toOpenApi = (schema: JsonSchema): JsonSchema => mapSchemas(schema, plain)

/** The OpenAPI 3.1 document: every operation, every response with its schema. */
export const openApiFlavour: Flavour = {
  shows: () => true,
  operation: ({ connector }) => (connector ? {} : { security: [] }),
  body: toOpenApi,
  parameter: schema => toOpenApi(schema),
  response: (_status, name) => ({
    content: { 'application/json': { schema: { $ref: `${name}#` } } },
  }),
}

const description = `The three actions of the Security Copilot connector over Microsoft Graph beta, hosted by yourself.

Call with a user's token for this API, or as a service principal by three headers. 600 calls in any 60 seconds for each connection.`

/** Everything but the operations. */
export const openApiFrame = (publicUrl: string, version: string) => ({
  openapi: '3.1.0' as const,
  info: {
    title: 'Security Copilot Connector',
    version,
    description,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: publicUrl }],
  tags: [
    { name: 'Actions', description: "The connector's three actions." },
    { name: 'Polling', description: 'Where a caller that was answered 202 is sent.' },
    { name: 'Health', description: 'For whoever runs the service.' },
  ],
  components: {
    securitySchemes: {
      user: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          "A user's access token for this API, issued by Entra. A token for Microsoft Graph is refused.",
      },
      tenant: {
        type: 'apiKey' as const,
        in: 'header',
        name: 'x-entra-tenant-id',
        description: 'Tenant of the app.',
      },
      client: {
        type: 'apiKey' as const,
        in: 'header',
        name: 'x-entra-client-id',
        description: 'Client id of the app.',
      },
      secret: {
        type: 'apiKey' as const,
        in: 'header',
        name: 'x-entra-client-secret',
        description: 'Client secret of the app.',
      },
    },
  },
  security: [{ user: [] }, { tenant: [], client: [], secret: [] }],
})

export interface Generated {
  components: { schemas: Record<string, JsonSchema> }
}

/** What the generator made, with the named schemas in OpenAPI's words too. Pure. */
export function finishOpenApi<Document extends Generated>(generated: Document): Document {
  const schemas = Object.entries(generated.components.schemas).map(([name, schema]) => [
    name,
    toOpenApi(schema),
  ])
  return {
    ...generated,
    components: { ...generated.components, schemas: Object.fromEntries(schemas) },
  }
}

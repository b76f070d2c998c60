import { withAlso } from './also-accepted.ts'
import type { Flavour } from './describe-route.ts'
import { errorExamples } from './error-examples.ts'
import { mapSchemas, referredTo, type JsonSchema } from './json-schema.ts'

/** What is accepted beside is part of the type; the connector's extensions mean nothing here. */
function plain(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(withAlso(schema)).filter(([keyword]) => !keyword.startsWith('x-'))
  return Object.fromEntries(entries)
}

/** A schema in the words of OpenAPI 3.1. Pure. */
export const toOpenApi = (schema: JsonSchema): JsonSchema => mapSchemas(schema, plain)

const some = (examples: object): boolean => Object.keys(examples).length > 0

/** The OpenAPI 3.1 document: every operation, every response with its schema. */
export const openApiFlavour: Flavour = {
  shows: () => true,
  operation: ({ connector }) => (connector ? {} : { security: [] }),
  body: (schema, examples) => ({
    ...toOpenApi(schema),
    ...(some(examples) && { 'x-examples': examples }),
  }),
  parameter: toOpenApi,
  response: (_status, name, examples) => ({
    content: {
      'application/json': {
        schema: { $ref: `${name}#` },
        ...(some(examples) && { examples }),
      },
    },
  }),
}

const description = `The actions of the Security Copilot connector over Microsoft Graph beta, hosted by yourself.

Call with a user's token for this API, or as a service principal by three headers, or as a managed identity that an app trusts. 600 calls in any 60 seconds for each connection.

AI-generated content may contain mistakes: check every answer for accuracy before you rely on it.`

/** What a deployment adds to its document. */
export interface OpenApiOptions {
  /** A call without credentials is let in, so that tools need not ask for them. @default false */
  readonly anonymousAllowed?: boolean | undefined
  /** A paragraph that comes first, Markdown: what a reader must know of this very service. */
  readonly notice?: string | undefined
}

/** Everything but the operations. */
export const openApiFrame = (
  publicUrl: string,
  version: string,
  { anonymousAllowed = false, notice }: OpenApiOptions = {},
) => ({
  openapi: '3.1.0' as const,
  info: {
    title: 'Security Copilot Connector',
    version,
    description: notice === undefined ? description : `${notice}\n\n${description}`,
    license: { name: 'MIT', identifier: 'MIT' },
  },
  servers: [{ url: publicUrl }],
  tags: [
    { name: 'Actions', description: "The connector's actions." },
    { name: 'Lists', description: 'What designers offer to choose from.' },
    { name: 'Polling', description: 'Where a caller that was answered 202 is sent.' },
    { name: 'Health', description: 'For whoever runs the service.' },
  ],
  components: {
    examples: errorExamples(),
    securitySchemes: {
      user: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          "A user's access token for this API, issued by Entra. A token for Microsoft Graph is refused.",
      },
      identity: {
        type: 'http' as const,
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description:
          'Instead of a secret: a token of a managed identity for `api://AzureADTokenExchange`, which the app trusts.',
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
  security: [
    ...(anonymousAllowed ? [{}] : []),
    { user: [] },
    { tenant: [], client: [], secret: [] },
    { identity: [], tenant: [], client: [] },
  ],
})

export interface Generated {
  components: { schemas: Record<string, JsonSchema>; examples?: Record<string, object> }
  paths?: Record<string, Operations>
  tags?: { readonly name: string }[]
}

interface Parameter {
  readonly in: string
}

type Operations = Record<string, { parameters?: Parameter[] }>

/** Tools fill in a header that has no example. An empty one counts as absent: it does no harm. */
const harmless = (parameter: Parameter): Parameter =>
  parameter.in === 'header' ? ({ ...parameter, example: '' } as Parameter) : parameter

const withHarmlessHeaders = (operations: Operations): Operations =>
  Object.fromEntries(
    Object.entries(operations).map(([method, { parameters, ...operation }]) => [
      method,
      { ...operation, ...(parameters && { parameters: parameters.map(harmless) }) },
    ]),
  )

/** What the generator made, with the named schemas in OpenAPI's words too. Pure. */
export function finishOpenApi<Document extends Generated>(generated: Document): Document {
  const { components } = generated
  const paths = Object.fromEntries(
    Object.entries(generated.paths ?? {}).map(([path, operations]) => [
      path,
      withHarmlessHeaders(operations),
    ]),
  )
  const schemas = referredTo(components.schemas, paths, '#/components/schemas/')
  const words = Object.entries(schemas).map(([name, schema]) => [name, toOpenApi(schema)])
  const examples = referredTo(components.examples ?? {}, paths, '#/components/examples/')
  const tags = generated.tags?.filter(({ name }) => JSON.stringify(paths).includes(`["${name}"]`))
  return {
    ...generated,
    ...(tags && { tags }),
    paths,
    components: { ...components, examples, schemas: Object.fromEntries(words) },
  }
}

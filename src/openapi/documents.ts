import swagger, { type SwaggerTransform } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'
import type { z } from 'zod'
import { version } from '../version.ts'
import { definitionFlavour, definitionFrame, type Contact } from './definition.ts'
import { describeRoute, type Flavour } from './describe-route.ts'
import { finishDefinition, type Json } from './finish-definition.ts'
import { namedSchemas, type JsonSchema } from './json-schema.ts'
import {
  finishOpenApi,
  type Generated,
  openApiFlavour,
  openApiFrame,
  type OpenApiOptions,
} from './openapi.ts'
import { forPage } from './page-document.ts'
import { pageTheme } from './page-theme.ts'

export interface DocumentsOptions extends OpenApiOptions {
  /** Schemas of responses, by the names they have in both documents. */
  readonly named: Readonly<Record<string, z.ZodType>>
  /** Base of the URLs handed out, without a closing slash. */
  readonly publicUrl: string
  /** Who answers for this deployment. */
  readonly contact?: Contact | undefined
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The connector's definition, Swagger 2.0. */
    definition(): Record<string, unknown>
  }
}

/**
 * Only this service, no inline script, no other host. The one inline style allowed is Swagger UI's
 * own, by its hash.
 */
const contentSecurityPolicy = {
  'default-src': "'self'",
  'style-src': "'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  'img-src': "'self' data:",
  'object-src': "'none'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/**
 * Both documents, generated from the routes registered after this, and the page that shows them. No
 * authentication: they hold nothing that is not in the repository.
 */
export const documents = fp<DocumentsOptions>(
  async (app, { named, publicUrl, contact, ...openApi }) => {
    const names = new Map<unknown, string>(Object.entries(named).map(([name, zod]) => [zod, name]))
    for (const schema of namedSchemas(named)) app.addSchema(schema)
    const transform =
      (flavour: Flavour): SwaggerTransform =>
      ({ schema, url }) => ({ schema: describeRoute(schema ?? {}, flavour, names), url })
    const refResolver = { buildLocalReference: ({ $id }: JsonSchema) => String($id) }

    await app.register(swagger, {
      openapi: openApiFrame(publicUrl, version, openApi),
      transform: transform(openApiFlavour),
      transformObject: document =>
        finishOpenApi(
          (document as unknown as { openapiObject: Generated }).openapiObject,
        ) as object,
      refResolver,
    })
    await app.register(swagger, {
      swagger: definitionFrame(publicUrl, version, contact),
      decorator: 'definition',
      transform: transform(definitionFlavour),
      transformObject: document =>
        finishDefinition((document as { swaggerObject: Json }).swaggerObject),
      refResolver,
      stripBasePath: false,
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      indexPrefix: new URL(publicUrl).pathname,
      staticCSP: contentSecurityPolicy,
      theme: pageTheme,
      uiConfig: { layout: 'BaseLayout', tryItOutEnabled: true },
      transformSpecification: document => forPage(document),
    })
    app.get('/openapi.json', async () => app.swagger())
    app.get('/apiDefinition.swagger.json', async () => app.definition())
  },
  { name: 'documents' },
)

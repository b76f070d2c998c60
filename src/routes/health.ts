import { z } from 'zod'
import type { RouteDescription } from '../openapi/route-description.ts'
import type { ZodPlugin } from '../plugins/validation.ts'

/**
 * Something without which the service should get no calls. @throws ConnectorError a 503 row of the
 * catalogue.
 */
export type ReadinessCheck = () => Promise<void>

export interface HealthOptions {
  readonly checks: readonly ReadinessCheck[]
}

const health = z
  .strictObject({ status: z.string() })
  .meta({ title: 'Health', description: 'That it is well.' })

/** The named response, as the document calls it. */
export const named = { Health: health }

const livenessDescription: RouteDescription = {
  operationId: 'GetLiveness',
  tag: 'Health',
  summary: 'Tell whether the process lives',
  description: 'Knows no dependency: a restart would not cure one.',
  responses: { 200: { description: 'It does.' } },
  errors: [],
}

const readinessDescription: RouteDescription = {
  operationId: 'GetReadiness',
  tag: 'Health',
  summary: 'Tell whether the service takes calls',
  description:
    'Fails when the service stops, until the store took a write once, and until tokens can be verified. Graph takes no part.',
  responses: { 200: { description: 'It does.' } },
  errors: ['EntraUnavailable', 'StoreUnavailable', 'ShuttingDown'],
}

/** Liveness and readiness: no authentication, no secrets. Liveness knows no dependency. */
export const healthRoutes: ZodPlugin<HealthOptions> = async (app, { checks }) => {
  app.get(
    '/livez',
    { schema: { operation: livenessDescription, response: { 200: health } } },
    async () => ({
      status: 'alive',
    }),
  )
  app.get(
    '/readyz',
    { schema: { operation: readinessDescription, response: { 200: health } } },
    async () => {
      const refusal = app.shutdown.refusal()
      if (refusal) throw refusal
      await Promise.all(checks.map(check => check()))
      return { status: 'ready' }
    },
  )
}

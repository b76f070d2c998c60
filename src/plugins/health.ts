import { z } from 'zod'
import type { Operation } from '../documents/operation.ts'
import type { ZodPlugin } from './validation.ts'

const health = z.strictObject({ status: z.string() }).meta({ title: 'Health', description: 'Whether it is well.' })

/** The named answer, as the document calls it. */
export const named = { Health: health }

const livezOperation: Operation = {
  operationId: 'GetLiveness',
  tag: 'Health',
  summary: 'Tell whether the process lives',
  description: 'Knows no dependency: a restart would not cure one.',
  answers: { 200: { description: 'It does.' } },
  errors: [],
}

const readyzOperation: Operation = {
  operationId: 'GetReadiness',
  tag: 'Health',
  summary: 'Tell whether the service takes calls',
  description: 'Fails first when the service stops.',
  answers: { 200: { description: 'It does.' } },
  errors: [],
}

/** Liveness and readiness: no authentication, no secrets. Liveness knows no dependency. */
export const healthRoutes: ZodPlugin<object> = async app => {
  app.get('/livez', { schema: { operation: livezOperation, response: { 200: health } } }, async () => ({
    status: 'alive',
  }))
  app.get('/readyz', { schema: { operation: readyzOperation, response: { 200: health } } }, async () => ({
    status: 'ready',
  }))
}

import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawServerDefault,
} from 'fastify'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { ConnectorError, type ErrorDetail } from '../errors.ts'

/** Types a request's parts by the zod schemas of its route. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  readonly serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

/** A plugin whose routes have zod schemas. */
export type ZodPlugin<Options> = (
  app: FastifyInstance<
    RawServerDefault,
    IncomingMessage,
    ServerResponse,
    FastifyBaseLogger,
    ZodTypeProvider
  >,
  options: Options,
) => Promise<void>

/** A caller's key is repeated in an error up to this length. */
const maxKeyLength = 64

const maxDetails = 20

const detail = (code: ErrorDetail['code'], target: string, reason: string): ErrorDetail => ({
  code,
  message: `${target} ${reason}`,
  target,
})

/** `Skillsets[0]`, `SkillInputs.top`: where in the request; `body` for the whole of it. */
const targetOf = (path: readonly PropertyKey[], part: string): string =>
  path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : (at ? '.' : '') + String(key)))
    .join('')
    .slice(0, 2 * maxKeyLength) || part

/** What is wrong, thing by thing, without the values sent. Pure. */
export function explain(issues: readonly z.core.$ZodIssue[], part: string): ErrorDetail[] {
  return issues.flatMap(issue => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key =>
        detail('UnknownKey', key.slice(0, maxKeyLength), 'is not a known key'),
      )
    }
    const code = issue.message === 'is required' ? 'Required' : 'InvalidValue'
    return [detail(code, targetOf(issue.path, part), issue.message)]
  })
}

/** The error of a request that is not what the operation expects. */
export const invalidRequest = (details: readonly ErrorDetail[]): ConnectorError =>
  new ConnectorError(
    'InvalidRequest',
    `Cannot accept the request: ${details.map(({ message }) => message).join('; ')}`,
    {
      details,
    },
  )

/**
 * Fastify's compilers, replaced: every request is checked against the zod schemas of its route, and
 * nothing else: no coercion, no removed keys. Answers are built key by key where they are
 * normalised; a second pass over them would only cost. Given to Fastify when it is made, so that it
 * does not load its own.
 */
export const compilersFactory = {
  buildValidator:
    () =>
    ({ schema, httpPart = 'body' }: { readonly schema: unknown; readonly httpPart?: string }) =>
    (value: unknown) => {
      const parsed = (schema as z.ZodType).safeParse(value)
      if (parsed.success) return { value: parsed.data }
      return { error: invalidRequest(explain(parsed.error.issues, httpPart).slice(0, maxDetails)) }
    },
  buildSerializer: () => () => JSON.stringify,
}

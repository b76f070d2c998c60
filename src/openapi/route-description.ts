import type { z } from 'zod'
import type { ErrorCode } from '../errors.ts'

/**
 * What a designer shows of an operation: one that makers use, one under "Show all", or one that
 * only the platform calls.
 */
export type Visibility = 'important' | 'advanced' | 'internal'

/** A response header. */
export interface ResponseHeader {
  readonly type: 'string' | 'integer'
  readonly description: string
}

/** A body, as a reader is shown it. */
export interface Example {
  readonly summary: string
  readonly value: object
}

/** By name, in the order in which they are shown. */
export type Examples = Readonly<Record<string, Example>>

/** What is said of one status, beside the schema of its body. */
export interface ResponseDescription {
  readonly description: string
  readonly headers?: Readonly<Record<string, ResponseHeader>>
  readonly examples?: Examples
}

/** What the documents say of a route, beside its path and zod schemas. */
export interface RouteDescription {
  /** PascalCase; never changes once published, since flows store it. */
  readonly operationId: string
  /** A phrase without a full stop: the action's name in a designer. */
  readonly summary: string
  /** Full sentences: what an author, or a model that picks tools, reads. */
  readonly description: string
  readonly tag: string
  /**
   * How the connector's definition shows it; a route without stands in the OpenAPI document only,
   * and needs no authentication.
   */
  readonly connector?: Visibility
  /** Bodies that work. */
  readonly examples?: Examples
  /** Request headers that it obeys. */
  readonly headers?: z.ZodObject
  /** By status; the body's schema is the route's. */
  readonly responses: Readonly<Record<number, ResponseDescription>>
  readonly errors: readonly ErrorCode[]
}

declare module 'fastify' {
  interface FastifySchema {
    /** A route without is in no document. */
    operation?: RouteDescription
  }
}

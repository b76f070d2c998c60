import { refusalOf, type Attempt, type Outcomes } from './attempts.ts'
import { graphError } from './error-response.ts'
import type { Query } from './odata.ts'

/** Whoever a token stands for. */
export interface Caller {
  readonly owner: string
  readonly scopes: readonly string[]
}

/** A call as an operation sees it. */
export interface Call {
  readonly caller: Caller
  /** The keys in the path: those that it has. */
  readonly params: {
    readonly workspace?: string
    readonly session: string
    readonly prompt: string
    readonly evaluation: string
  }
  readonly query: Query
  readonly body: Readonly<Record<string, unknown>>
  /** The API's root as the caller wrote it. */
  readonly base: string
  /** Path and query below the root. */
  readonly path: string
}

/** What exists for the caller, or the error for what is not there. */
export function found<T>(entity: T | undefined, attempt: Attempt, outcomes?: Outcomes): T {
  if (entity === undefined) throw refusalOf(attempt, outcomes)
  return entity
}

/** A text property of the body; Graph's 400 when it is missing or blank. */
export function requiredText({ body }: Call, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value.trim() === '') throw graphError(400)
  return value
}

/** Refuses properties that the operation does not take. */
export function onlyProperties({ body }: Call, ...names: string[]): void {
  const known = new Set(['@odata.type', ...names])
  if (Object.keys(body).some(name => !known.has(name))) throw graphError(400)
}

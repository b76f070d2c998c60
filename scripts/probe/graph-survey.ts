import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/lib/clock.ts'
import type { Attempt } from '../../src/sandbox/graph/attempts.ts'
import type { Operation } from '../../src/sandbox/graph/markers.ts'
import type { Ask, Question, Seen } from './ask.ts'
import type { Notebook } from './notebook.ts'
import type { SessionJournal } from './session-journal.ts'

/** What every part of the survey works with. */
export interface Survey {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly notebook: Notebook
  readonly journal: SessionJournal
  /** `default`, or an id. */
  readonly workspace: string
  /** Evaluations that may still be created. */
  readonly budget: { left: number }
  /** Asks Graph for an operation that is expected to succeed. */
  call(operation: Operation, path: string, body?: object, more?: Partial<Question>): Promise<Seen>
  /** Asks Graph for something that may be refused. */
  attempt(attempt: Attempt, path: string, body?: object): Promise<Seen>
}

export const workspaces = '/security/securityCopilot/workspaces'

/** An id that nothing has. */
export const nothing = (): string => randomUUID()

const methodOf = (operation: Operation): Question['method'] => {
  if (operation === 'updateSession') return 'PATCH'
  return operation.startsWith('create') ? 'POST' : 'GET'
}

export interface SurveyOptions extends Omit<Survey, 'call' | 'attempt'> {
  readonly ask: Ask
}

/** Binds the calls to the notebook, so that none is made without being noted. */
export function createSurvey({ ask, ...parts }: SurveyOptions): Survey {
  const { notebook } = parts
  return {
    ...parts,
    async call(operation, path, body, more = {}) {
      const question = { method: methodOf(operation), path, ...(body && { body }), ...more }
      const seen = await ask(question)
      notebook.noteCall(operation, seen)
      return seen
    },
    async attempt(attempt, path, body) {
      const seen = await ask({ method: body ? 'POST' : 'GET', path, ...(body && { body }) })
      notebook.noteAttempt(attempt, seen)
      return seen
    },
  }
}

/** A text member of an answer, if it is there. */
export function textOf(body: unknown, name: string): string | undefined {
  const value: unknown = (body as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

/** The items of a list; one bare entity is a list of one. */
export function itemsOf(body: unknown): readonly object[] {
  if (typeof body !== 'object' || body === null) return []
  const { value } = body as { value?: unknown }
  if (Array.isArray(value)) return value.filter(item => typeof item === 'object' && item !== null)
  return 'id' in body ? [body] : []
}

/** An id of ours that can stand in a path. */
export function idOf({ status, body }: Seen): string | undefined {
  const id = textOf(body, 'id')
  return status >= 200 && status < 300 && id !== undefined && /^[\w-]{1,64}$/.test(id)
    ? id
    : undefined
}

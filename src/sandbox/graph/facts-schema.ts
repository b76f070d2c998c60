import { z } from 'zod'
import { assumedOutcomes } from './attempts.ts'
import { operations } from './markers.ts'
import { kinds } from './shapes.ts'

// What `npm run probe` learns of a tenant. The schema keeps a report free of secrets: it has
// numbers, choices, and words of letters alone, and nothing else gets through.

const word = z.string().regex(/^[A-Za-z]{1,64}$/)
const count = z.int().min(0).max(1_000_000)
const ms = z.int().min(0).max(86_400_000)

/** The name of a member or of a claim: short, no text. */
export const plainName = /^[A-Za-z_]\w{0,39}$/
const annotationName = /^\w{0,40}@(odata|microsoft\.graph)\.[A-Za-z.]{1,40}$/

/** Whether a member's name may be told. */
export const isPlainMember = (name: string): boolean =>
  name !== '__proto__' && (plainName.test(name) || annotationName.test(name))

/** Stands for the names of members that are not told. */
export const withheld = 'withheld'

const memberPath = z
  .string()
  .max(120)
  .refine(path => path.split('/').every(isPlainMember))

/** Status 0: no answer at all. */
const outcome = z.strictObject({ status: z.int().min(0).max(599), code: word.optional() })

const shape = z.record(memberPath, z.array(z.enum(kinds)).max(kinds.length))

/** What a token says of itself. */
const token = z.strictObject({
  kind: z.enum(['delegated', 'application', 'opaque']),
  audience: z.enum(['graph', 'other', 'unknown']),
  version: z.enum(['v1', 'v2', 'unknown']),
  expired: z.boolean(),
  read: z.boolean(),
  write: z.boolean(),
  /** Names of its claims. */
  claims: z.array(z.string().regex(plainName)).max(100),
})

const page = z.strictObject({ items: count, more: z.boolean() })

/** Why no answer came, or an answer that is not the server's. */
export const troubles = ['unreachable', 'untrusted', 'late', 'html', 'proxy'] as const

/** All that a probe may learn. What it could not look at is not there. */
export const factsSchema = z.strictObject({
  graphToken: token.optional(),
  serviceToken: token.optional(),
  /** How each operation ended, at best; and what it ended with at other times. */
  calls: z.partialRecord(z.enum(operations), outcome.extend({ sometimes: outcome.optional() })),
  shapes: z.partialRecord(z.enum(operations), shape),
  /** Operations whose answers this service's own schemas do not read. */
  unread: z.array(z.enum(operations)),
  outcomes: z.partialRecord(z.enum(Object.keys(assumedOutcomes) as Attempt[]), outcome),
  latency: z.strictObject({ medianMs: ms, slowestMs: ms }).optional(),
  listing: z
    .strictObject({
      form: z.enum(['collection', 'entity']).optional(),
      /** When it was first listed; missing when it was not. */
      listedAtMs: ms.optional(),
    })
    .optional(),
  evaluation: z
    .strictObject({
      states: z.array(z.strictObject({ state: word, afterMs: ms })).max(50),
      ended: z.boolean(),
      resultType: word.optional(),
      /** From creation to completion, by its own dates. */
      runMs: ms.optional(),
    })
    .optional(),
  unrun: z
    .strictObject({
      ranUnasked: z.boolean().optional(),
      /** How the prompt after it ended. */
      next: z.strictObject({ state: word, resultType: word.optional() }).optional(),
    })
    .optional(),
  skillNames: z
    .strictObject({ plain: z.boolean().optional(), slash: z.boolean().optional() })
    .optional(),
  paging: z
    .strictObject({
      plugins: page.optional(),
      sessions: page.optional(),
      /** Whether `$top=1` gave one item; whether links stay below the API's root. */
      topHonoured: z.boolean().optional(),
      linksInside: z.boolean().optional(),
    })
    .optional(),
  plugins: z.strictObject({ total: count, enabled: count, sameName: count }).optional(),
  workspaces: count.optional(),
  headers: z
    .strictObject({
      requestId: z.boolean(),
      echoesRequestId: z.boolean(),
      encoding: z.enum(['never', 'asked', 'always', 'other']),
      /** Whether 429 answers said how long to wait. */
      retryAfter: z.boolean().optional(),
    })
    .optional(),
  http2: z.boolean().optional(),
  skewSeconds: z.int().optional(),
  service: z
    .strictObject({
      caller: z.enum(['user', 'app', 'nobody']),
      live: outcome,
      ready: outcome,
      /** A read of an evaluation that does not exist: 404 when the whole way to Graph is open. */
      road: outcome,
    })
    .optional(),
  /** What stood in the way. */
  troubles: z.array(z.enum(troubles)),
  /** Whether a proxy is configured. */
  proxied: z.boolean(),
})

type Attempt = keyof typeof assumedOutcomes
export type Facts = z.output<typeof factsSchema>
export type TokenFacts = z.output<typeof token>
export type Trouble = (typeof troubles)[number]

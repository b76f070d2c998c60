import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import type { ModelOptions } from './graph-model.ts'
import type { SimulatorOptions } from './graph-simulator.ts'
import type { StateNames } from './evaluation-plan.ts'
import { factsSchema, type Facts } from './facts-schema.ts'
import { assumedShapes, shapeDifferences } from './shapes.ts'
import { operations } from './markers.ts'

/** What is given to createModel and createGraphSimulator beside the rest. */
export interface FactsOptions {
  readonly model: Partial<Omit<ModelOptions, 'clock'>>
  readonly simulator: Partial<Omit<SimulatorOptions, 'clock' | 'authorise' | 'model'>>
}

const maxReportBytes = 1_000_000

const both = ['SecurityCopilotWorkspaces.Read.All', 'SecurityCopilotWorkspaces.ReadWrite.All']

const succeeded = (status: number): boolean => status >= 200 && status < 300

/** The states as they were seen, if they differ from the samples' three. */
function statesOf({ evaluation }: Facts): StateNames | undefined {
  if (!evaluation || !hasOtherStates(evaluation)) return undefined
  const [first, ...later] = evaluation.states
  if (!first) return undefined
  const ended = evaluation.ended ? later.at(-1)?.state : undefined
  const running = ended === undefined ? later : later.slice(0, -1)
  return { created: first.state, running, ended }
}

/** Whether other states were seen than created, running and completed, or no end. Pure. */
export function hasOtherStates({ states, ended }: NonNullable<Facts['evaluation']>): boolean {
  const seen = states.map(({ state }) => state).join(' ')
  return !ended || !/^created (running )?completed$/.test(seen)
}

/** What let a caller read although it has only ReadWrite.All, or write with only Read.All. Pure. */
export function widerPermissions({ graphToken, calls }: Facts): { read: boolean; write: boolean } {
  const worked = (reads: boolean) =>
    operations.some(
      name => /^(list|get)/.test(name) === reads && succeeded(calls[name]?.status ?? 0),
    )
  const known = graphToken !== undefined && graphToken.kind !== 'opaque'
  return {
    read: known && !graphToken.read && graphToken.write && worked(true),
    write: known && !graphToken.write && graphToken.read && worked(false),
  }
}

/** Operations that are refused although the token has the permission. Pure. */
export function refusedOperations({ graphToken, calls }: Facts): Facts['calls'] {
  const allowed = (name: string) =>
    graphToken === undefined ||
    graphToken.kind === 'opaque' ||
    (/^(list|get)/.test(name) ? graphToken.read : graphToken.write)
  return Object.fromEntries(
    Object.entries(calls).filter(([name, { status }]) => !succeeded(status) && allowed(name)),
  )
}

/** Pages as long as the simulator's own need no saying. */
const usualPage = 100
const isOwnPage = (page: { items: number; more: boolean } | undefined): boolean =>
  page !== undefined && (page.more || page.items > usualPage)

/** The simulator's options by which it behaves as the tenant did. Pure. */
export function optionsOf(facts: Facts): FactsOptions {
  const { evaluation, listing, unrun, paging, headers, latency } = facts
  const next = unrun?.next
  const disturbed = next !== undefined && evaluation !== undefined && isDisturbed(facts)
  const wider = widerPermissions(facts)
  return {
    model: {
      ...(evaluation?.runMs !== undefined && { evaluationSeconds: evaluation.runMs / 1000 }),
      ...(listing?.listedAtMs !== undefined && {
        listedAfterSeconds: listing.listedAtMs / 1000,
      }),
      ...(listing && listing.listedAtMs === undefined && { listedAfterSeconds: 86_400 }),
      states: statesOf(facts),
      resultType: evaluation?.resultType,
      skillNames: facts.skillNames,
      runsUnasked: unrun?.ranUnasked,
      ...(disturbed && {
        afterUnrun: {
          result: next.resultType,
          ...(next.state !== evaluation.states.at(-1)?.state && { state: next.state }),
        },
      }),
    },
    simulator: {
      pageSize: [paging?.plugins, paging?.sessions].find(isOwnPage)?.items,
      honoursTop: paging?.topHonoured,
      ...(paging?.linksInside === false && { linksTo: 'https://elsewhere.example/beta' }),
      bareEvaluation: listing?.form === 'entity',
      outcomes: facts.outcomes,
      refused: refusedOperations(facts),
      permissions: { ...(wider.read && { read: both }), ...(wider.write && { write: both }) },
      shapes: Object.fromEntries(
        Object.entries(facts.shapes).map(([name, shape]) => [
          name,
          shapeDifferences(shape, assumedShapes[name as keyof typeof assumedShapes]),
        ]),
      ),
      ...(headers && {
        encoding: headers.encoding === 'other' ? 'asked' : headers.encoding,
        requestId: headers.requestId,
        echoesRequestId: headers.echoesRequestId,
      }),
      latencyMs: latency?.medianMs,
      skewSeconds: facts.skewSeconds,
    },
  }
}

/** Whether a prompt ended otherwise after one that was never evaluated. Pure. */
export function isDisturbed({ evaluation, unrun }: Facts): boolean {
  const next = unrun?.next
  if (!next || !evaluation) return false
  return next.state !== evaluation.states.at(-1)?.state || next.resultType !== evaluation.resultType
}

/**
 * Reads a report of `npm run probe`, from its path, its JSON, or parsed.
 * @throws Error when it is no such report.
 */
export function readFacts(report: string | object): FactsOptions {
  try {
    return optionsOf(z.object({ facts: factsSchema }).parse(parsed(report)).facts)
  } catch (cause) {
    throw new Error('Cannot read the facts: it is no report of npm run probe', { cause })
  }
}

function parsed(report: string | object): unknown {
  if (typeof report === 'object') return report
  if (report.trimStart().startsWith('{')) return JSON.parse(report)
  if (statSync(report).size > maxReportBytes) throw new Error('it is too long')
  return JSON.parse(readFileSync(report, 'utf8'))
}

import { Agent, EnvHttpProxyAgent, type Dispatcher } from 'undici'
import type { Clock } from '../../src/lib/clock.ts'
import { createAsk, type Seen } from './ask.ts'
import { createSurvey } from './graph-survey.ts'
import { createNotebook, type Notebook } from './notebook.ts'
import { offersHttp2 } from './offers-http2.ts'
import { readToken } from './read-token.ts'
import { createReport, type Report } from './report.ts'
import type { SessionJournal } from './session-journal.ts'
import { surveyLists } from './survey-lists.ts'
import { surveyService } from './survey-service.ts'
import { surveySessions } from './survey-sessions.ts'

/** Who calls the service. */
export type ServiceCaller =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly token: string }
  | {
      readonly kind: 'app'
      readonly tenantId: string
      readonly clientId: string
      readonly clientSecret: string
    }

export interface ProbeOptions {
  readonly service?: { readonly url: string; readonly caller: ServiceCaller } | undefined
  readonly graph?: { readonly url: string; readonly token: string } | undefined
  readonly workspace: string
  /** At most so many are created. */
  readonly evaluations: number
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly journal: SessionJournal
  /** Whether the environment names a proxy. */
  readonly proxied: boolean
  /** Hears what is being done: it takes minutes. */
  say?(what: string): void
}

function credentialsOf(caller: ServiceCaller): Record<string, string> {
  if (caller.kind === 'nobody') return {}
  if (caller.kind === 'user') return { authorization: `Bearer ${caller.token}` }
  return {
    'x-entra-tenant-id': caller.tenantId,
    'x-entra-client-id': caller.clientId,
    'x-entra-client-secret': caller.clientSecret,
  }
}

type Parts = Pick<ProbeOptions, 'clock' | 'signal'> & {
  readonly dispatcher: Dispatcher
  readonly notebook: Notebook
}

async function askService(
  { url, caller }: NonNullable<ProbeOptions['service']>,
  { notebook, ...parts }: Parts,
): Promise<void> {
  if (caller.kind === 'user')
    notebook.note({ serviceToken: readToken(caller.token, parts.clock.now()) })
  const ask = createAsk({ baseUrl: url, headers: credentialsOf(caller), ...parts })
  await surveyService(ask, notebook, caller.kind)
}

/** `Date` has whole seconds. */
const dateStepMs = 1000

/**
 * How far the server's clock is ahead of ours, in whole seconds: 0 if its time lies within the
 * call's.
 */
function skewOf({ headers, ms }: Seen, clock: Clock): number | undefined {
  const there = Date.parse(headers['date'] ?? '')
  if (Number.isNaN(there)) return undefined
  const received = clock.now()
  const nearest = Math.min(Math.max(there, received - ms), received)
  const ahead = there - nearest
  return Math.abs(ahead) <= dateStepMs ? 0 : Math.round(ahead / 1000)
}

async function askGraph(
  { url, token }: NonNullable<ProbeOptions['graph']>,
  {
    workspace,
    budget,
    journal,
    proxied,
    say,
  }: Pick<ProbeOptions, 'workspace' | 'journal' | 'proxied' | 'say'> & {
    readonly budget: { left: number }
  },
  { notebook, ...parts }: Parts,
): Promise<void> {
  const { clock, signal } = parts
  notebook.note({ graphToken: readToken(token, clock.now()) })
  const baseUrl = url.replace(/\/+$/, '')
  const headers = { authorization: `Bearer ${token}` }
  const ask = createAsk({ baseUrl, headers, ...parts })
  let skewSeconds: number | undefined
  const survey = createSurvey({
    async ask(question) {
      const seen = await ask(question)
      skewSeconds ??= skewOf(seen, clock)
      return seen
    },
    clock,
    signal,
    notebook,
    journal,
    workspace,
    budget,
  })
  const http2 = proxied ? undefined : await offersHttp2(baseUrl)
  if (http2 !== undefined) notebook.note({ http2 })
  say?.('Asking Graph for workspaces, plugins and sessions ...')
  await surveyLists(survey, baseUrl)
  if (skewSeconds !== undefined) notebook.note({ skewSeconds })
  // A token that is refused here is refused everywhere.
  const reached = ![0, 401].includes(notebook.status('listWorkspaces'))
  if (!reached || signal.aborted) return
  say?.('Creating sessions and prompts; an evaluation takes up to three minutes ...')
  await surveySessions(survey)
}

/** Asks the service and Graph, and says what was seen. Never throws for what they answer. */
export async function probe(options: ProbeOptions): Promise<Report> {
  const { service, graph, evaluations, clock, signal, proxied } = options
  const dispatcher = proxied ? new EnvHttpProxyAgent() : new Agent()
  const notebook = createNotebook(proxied)
  const parts = { clock, signal, dispatcher, notebook }
  const date = new Date(clock.now()).toISOString().slice(0, 10)
  const budget = { left: evaluations }
  try {
    if (service) {
      options.say?.('Asking the service ...')
      await askService(service, parts)
    }
    if (graph) await askGraph(graph, { ...options, budget }, parts)
    return createReport(notebook.facts(), date, evaluations - budget.left)
  } finally {
    await dispatcher.destroy()
  }
}

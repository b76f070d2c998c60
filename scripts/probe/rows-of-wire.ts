import type { Facts, TokenFacts } from '../../src/sandbox/graph/facts-schema.ts'
import { showOutcome } from './rows-of-calls.ts'
import type { RowRule, Sight } from './row-rule.ts'

/** A yes or no where yes is assumed. */
const yes = (is: boolean | undefined): Sight =>
  is === undefined ? undefined : { seen: is ? 'yes' : 'no', differs: !is }

const note = (seen: string | undefined): Sight =>
  seen === undefined ? undefined : { seen, differs: false }

const showPage = ({ items, more }: { items: number; more: boolean }): string =>
  `${items} items${more ? ' and a next page' : ''}`

/** Longer pages than this are cut by the simulator, and are assumed to be by Graph. */
const usualPage = 100

function seePaging({ paging }: Facts): Sight {
  const pages = Object.entries({ plugins: paging?.plugins, sessions: paging?.sessions })
  const seen = pages.flatMap(([name, page]) => (page ? [`${name} ${showPage(page)}`] : []))
  if (seen.length === 0) return undefined
  const differs = pages.some(
    ([, page]) => page && (page.more ? page.items !== usualPage : page.items > usualPage),
  )
  return { seen: seen.join(', '), differs }
}

const showToken = (token: TokenFacts | undefined): string | undefined =>
  token && token.kind !== 'opaque'
    ? `${token.kind}, ${token.version}: ${token.claims.join(' ')}`
    : token?.kind

function seeRoad(facts: Facts, caller: string, expected: readonly string[]): Sight {
  const { service } = facts
  if (service?.caller !== caller) return undefined
  const seen = showOutcome(service.road)
  return { seen, differs: !expected.includes(seen) }
}

/** Pages, headers, clocks, tokens, and this service. */
export const wireRows: readonly RowRule[] = [
  {
    key: 'paging.size',
    question: 'How many items has a page?',
    assumed: 'at most 100',
    means: 'Next pages are followed, up to 100 of them.',
    setting: 'pageSize',
    see: seePaging,
  },
  {
    key: 'paging.top',
    question: 'Is $top honoured?',
    assumed: 'yes',
    means: 'The service does not use it.',
    setting: 'honoursTop',
    see: ({ paging }) => yes(paging?.topHonoured),
  },
  {
    key: 'paging.links',
    question: 'Do links to next pages stay below the root?',
    assumed: 'yes',
    means: 'A link that leads elsewhere is refused: it would carry the token away.',
    setting: 'linksTo',
    see: ({ paging }) => yes(paging?.linksInside),
  },
  {
    key: 'header.requestId',
    question: 'Has every answer a request-id?',
    assumed: 'yes',
    means: 'It is shown in errors, for Microsoft support.',
    setting: 'requestId',
    see: ({ headers }) => yes(headers?.requestId),
  },
  {
    key: 'header.clientRequestId',
    question: 'Does client-request-id come back?',
    assumed: 'yes',
    means: 'The service sends its own request id so.',
    setting: 'echoesRequestId',
    see: ({ headers }) => yes(headers?.echoesRequestId),
  },
  {
    key: 'header.encoding',
    question: 'Are answers compressed?',
    assumed: 'never',
    means: 'The service does not ask for it; answers compressed unasked must be read all the same.',
    setting: 'encoding',
    see: ({ headers }) =>
      headers && { seen: headers.encoding, differs: headers.encoding !== 'never' },
  },
  {
    key: 'header.retryAfter',
    question: 'Does 429 say how long to wait?',
    assumed: 'yes',
    means: 'Without it the service waits by its own measure.',
    see: ({ headers }) => yes(headers?.retryAfter),
  },
  {
    key: 'header.http',
    question: 'Is HTTP/2 offered?',
    means: 'The service speaks HTTP/1.1.',
    see: ({ http2 }) => note(http2 === undefined ? undefined : http2 ? 'yes' : 'no'),
  },
  {
    key: 'wire.latency',
    question: 'How long does a call take?',
    assumed: 'at most 1 s, half of them',
    means: 'A call is given up after 15 s; Submit makes three.',
    setting: 'latencyMs',
    see: ({ latency }) =>
      latency && {
        seen: `half of them at most ${latency.medianMs} ms, the slowest ${latency.slowestMs} ms`,
        differs: latency.medianMs > 1000,
      },
  },
  {
    key: 'wire.clock',
    question: 'By how much do the clocks differ?',
    assumed: 'at most 5 s',
    means: 'Tokens are refused when they differ by more than 60 s.',
    setting: 'skewSeconds',
    see: ({ skewSeconds }) =>
      skewSeconds === undefined
        ? undefined
        : { seen: `${skewSeconds} s`, differs: Math.abs(skewSeconds) > 5 },
  },
  {
    key: 'tenant.workspaces',
    question: 'How many workspaces are there?',
    means: 'The service works in one: WORKSPACE_ID.',
    see: ({ workspaces }) => note(workspaces === undefined ? undefined : String(workspaces)),
  },
  {
    key: 'tenant.plugins',
    question: 'How many plugins, and are they displayed by their names?',
    means: 'Skillsets are matched by name.',
    see: ({ plugins }) =>
      note(
        plugins &&
          `${plugins.total}, ${plugins.enabled} enabled, ${plugins.sameName} displayed by name`,
      ),
  },
  {
    key: 'token.graph',
    question: 'Which claims has the token for Graph?',
    means: 'The service does not read it.',
    see: ({ graphToken }) => note(showToken(graphToken)),
  },
  {
    key: 'token.service',
    question: 'Which claims has the token for the service?',
    means: 'It needs aud, exp, iss, oid, scp and tid.',
    see: ({ serviceToken }) => note(showToken(serviceToken)),
  },
  {
    key: 'service.live',
    question: 'Does the service live?',
    assumed: '200',
    means: 'Its address is right.',
    see: ({ service }) =>
      service && { seen: showOutcome(service.live), differs: service.live.status !== 200 },
  },
  {
    key: 'service.ready',
    question: 'Is the service ready?',
    assumed: '200',
    means: 'It reaches its store and the keys of Entra.',
    see: ({ service }) =>
      service && { seen: showOutcome(service.ready), differs: service.ready.status !== 200 },
  },
  {
    key: 'service.user',
    question: 'Does the service get through to Graph on behalf of a user?',
    assumed: '404 EvaluationNotFound, for an evaluation that does not exist',
    means: 'Connections of type Oauth work.',
    see: facts => seeRoad(facts, 'user', ['404 EvaluationNotFound']),
  },
  {
    key: 'service.app',
    question: 'Does the service get through to Graph as an app?',
    assumed: '403 GraphForbidden: the permissions are hidden',
    means: 'Connections of type service principal work if it is 404 EvaluationNotFound.',
    see: facts => seeRoad(facts, 'app', ['403 GraphForbidden']),
  },
]

/** The operations of the API, as scripts name them. */
export const operations = [
  'listWorkspaces',
  'listPlugins',
  'listSessions',
  'createSession',
  'getSession',
  'updateSession',
  'listPrompts',
  'createPrompt',
  'getPrompt',
  'listEvaluations',
  'createEvaluation',
  'getEvaluation',
] as const

export type Operation = (typeof operations)[number]

/**
 * Failures that are not told by a status: a claims challenge; answers that are not Graph's; a
 * connection that is reset before the operation runs, or after it ran (its answer is lost whole, or
 * from the middle on); an answer that comes letter by letter, or not at all.
 */
export const failureKinds = [
  'claims',
  'html',
  'shape',
  'redirect',
  'reset',
  'lost',
  'truncated',
  'drip',
  'stall',
] as const

type FailureKind = (typeof failureKinds)[number]

/** How an operation fails, and how often before it works; always, without a number. */
export type Failure = { readonly times?: number | undefined } & (
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: FailureKind }
)

/** What the markers in a prompt ask of the simulator. */
export interface Script {
  /** The state the evaluation stays in, or ends in if it is `cancelled`. */
  readonly state: string | undefined
  /** The type of the result. */
  readonly result: string | undefined
  /** How many evaluations of the prompt get that result, before one succeeds; all, without it. */
  readonly resultTimes: number | undefined
  /** How long the evaluation takes. */
  readonly seconds: number | undefined
  /** How long after its creation an evaluation is listed, in seconds. */
  readonly listed: number | undefined
  /** Length of the answer in characters. */
  readonly length: number | undefined
  /** The answer itself. */
  readonly answer: string | undefined
  readonly failures: ReadonlyMap<string, Failure>
}

/** `what` and how often, as in `resetx2`. */
function readTimes(value: string): { what: string; times: number | undefined } {
  const [, what = '', often] = /^(.+?)(?:x(\d))?$/.exec(value) ?? []
  return { what, times: often === undefined ? undefined : Number(often) }
}

const marker = /\[sim:(\w+)=([\w.,-]+)\]/g

/** An answer is not made longer than this. */
const maxLength = 10_000_000

function readFailure(value: string): Failure | undefined {
  const { what, times } = readTimes(value)
  const kind = failureKinds.find(name => name === what)
  if (kind) return { kind, times }
  const [, status, retryAfter] = /^([45]\d\d)(?:,([\d.-]+))?$/.exec(what) ?? []
  return status === undefined
    ? undefined
    : { kind: 'status', status: Number(status), retryAfter, times }
}

/** A text of a marker, which may hold anything: base64url of UTF-8. */
const readText = (encoded: string | undefined): string | undefined =>
  encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString()

/** A number of a marker: none, or one that makes no sense, is left out. */
function readNumber(text: string | undefined, max: number): number | undefined {
  const value = Number(text)
  return value >= 0 && value <= max ? value : undefined
}

/**
 * Reads the markers in a text: `[sim:result=rejected]`, `[sim:state=pending]`, `[sim:seconds=2]`,
 * `[sim:listed=3]`, `[sim:length=5000]`, `[sim:answer=eyJhIjoxfQ]` (base64url of the answer), and
 * `[sim:createEvaluation=503,7]`, by which that operation answers 503 with `Retry-After: 7`;
 * `[sim:getPrompt=resetx2]` fails twice and then works, and of a prompt with
 * `[sim:result=capacityExceededx1]` only the first evaluation ends so. Pure.
 */
export function readScript(text: string): Script {
  const values = new Map(
    Array.from(text.matchAll(marker), ([, key = '', value = '']) => [key, value]),
  )
  const failures = new Map<string, Failure>()
  for (const operation of operations) {
    const failure = readFailure(values.get(operation) ?? '')
    if (failure) failures.set(operation, failure)
  }
  const { what: result, times: resultTimes } = readTimes(values.get('result') ?? '')
  return {
    state: values.get('state'),
    result: result || undefined,
    resultTimes,
    listed: readNumber(values.get('listed'), 86_400),
    seconds: readNumber(values.get('seconds'), 86_400),
    length: readNumber(values.get('length'), maxLength),
    answer: readText(values.get('answer')),
    failures,
  }
}

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

/** Failures that are not told by a status: a claims challenge, and answers that are not Graph's. */
export const failureKinds = ['claims', 'html', 'shape', 'redirect'] as const

type FailureKind = (typeof failureKinds)[number]

/** How an operation fails. */
export type Failure =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: string | undefined }
  | { readonly kind: FailureKind }

/** What the markers in a prompt ask of the simulator. */
export interface Script {
  /** The state the evaluation stays in, or ends in if it is `cancelled`. */
  readonly state: string | undefined
  /** The type of the result. */
  readonly result: string | undefined
  /** How long the evaluation takes. */
  readonly seconds: number | undefined
  /** Length of the answer in characters. */
  readonly length: number | undefined
  readonly failures: ReadonlyMap<string, Failure>
}

const marker = /\[sim:(\w+)=([\w.,-]+)\]/g

/** An answer is not made longer than this. */
const maxLength = 10_000_000

function readFailure(value: string): Failure | undefined {
  const kind = failureKinds.find(name => name === value)
  if (kind) return { kind }
  const [, status, retryAfter] = /^([45]\d\d)(?:,([\w.-]+))?$/.exec(value) ?? []
  return status === undefined ? undefined : { kind: 'status', status: Number(status), retryAfter }
}

/** A number of a marker: none, or one that makes no sense, is left out. */
function readNumber(text: string | undefined, max: number): number | undefined {
  const value = Number(text)
  return value >= 0 && value <= max ? value : undefined
}

/**
 * Reads the markers in a text: `[sim:result=rejected]`, `[sim:state=pending]`, `[sim:seconds=2]`, `[sim:length=5000]`,
 * and `[sim:createEvaluation=503,7]`, by which that operation answers 503 with `Retry-After: 7`. Pure.
 */
export function readScript(text: string): Script {
  const values = new Map(Array.from(text.matchAll(marker), ([, key = '', value = '']) => [key, value]))
  const failures = new Map<string, Failure>()
  for (const operation of operations) {
    const failure = readFailure(values.get(operation) ?? '')
    if (failure) failures.set(operation, failure)
  }
  return {
    state: values.get('state'),
    result: values.get('result'),
    seconds: readNumber(values.get('seconds'), 86_400),
    length: readNumber(values.get('length'), maxLength),
    failures,
  }
}

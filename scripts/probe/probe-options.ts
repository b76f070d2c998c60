import { parseArgs } from 'node:util'
import type { ProbeOptions, ServiceCaller } from './probe.ts'

/** What the command line and the environment ask for. */
export interface ProbeCommand extends Pick<
  ProbeOptions,
  'service' | 'graph' | 'workspace' | 'evaluations' | 'proxied'
> {
  readonly yes: boolean
  /** The folder that the report is written to. */
  readonly out: string
}

/** The command line is not right; the message says how, and shows no value of it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `npm run probe -- [options]
  --service=URL                a running deployment of this service, and one of:
    --bearer-env=NAME            a user's token for it, in the environment variable NAME
    --tenant=ID --client-id=ID --client-secret-env=NAME
  --graph-token-env=NAME       a token for Microsoft Graph, in the environment variable NAME
  --graph-token-stdin          the same, from standard input (with --yes)
  --graph=URL                  default https://graph.microsoft.com/beta
  --workspace=ID               default "default"
  --evaluations=N              0 to 4, default 0: each spends capacity
  --yes                        do not ask
  --out=DIR                    default the current folder`

const optionTypes = {
  service: { type: 'string' },
  'bearer-env': { type: 'string' },
  tenant: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-env': { type: 'string' },
  graph: { type: 'string', default: 'https://graph.microsoft.com/beta' },
  'graph-token-env': { type: 'string' },
  'graph-token-stdin': { type: 'boolean', default: false },
  workspace: { type: 'string', default: 'default' },
  evaluations: { type: 'string', default: '0' },
  yes: { type: 'boolean', default: false },
  out: { type: 'string', default: '.' },
} as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: optionTypes }).values
  } catch {
    // The parser's own message would show what was typed, a token perhaps.
    throw new UsageError('Cannot read the command line: an option is unknown or lacks its value')
  }
}

function urlOf(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const local = url && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  if (!url || url.username || url.password || !(url.protocol === 'https:' || local))
    throw new UsageError(`Cannot use --${name}: it must be an https URL without credentials`)
  return text
}

function secretOf(env: NodeJS.ProcessEnv, variable: string): string {
  const value = env[variable]?.trim()
  if (!value || !/^[\x21-\x7e]+$/.test(value))
    throw new UsageError('Cannot read a credential: its environment variable is empty or not text')
  return value
}

/**
 * Reads the command line. Credentials are only named there: they come from the environment or from
 * standard input.
 * @throws UsageError
 */
export function readCommand(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  readStdin: () => string,
): ProbeCommand {
  const values = parse(args)

  function callerOf(): ServiceCaller {
    const { tenant, 'client-id': clientId, 'client-secret-env': secret } = values
    if (values['bearer-env'] !== undefined)
      return { kind: 'user', token: secretOf(env, values['bearer-env']) }
    if (tenant === undefined && clientId === undefined && secret === undefined)
      return { kind: 'nobody' }
    if (tenant === undefined || clientId === undefined || secret === undefined)
      throw new UsageError(
        'Cannot call as an app: --tenant, --client-id and --client-secret-env belong together',
      )
    return { kind: 'app', tenantId: tenant, clientId, clientSecret: secretOf(env, secret) }
  }

  function graphToken(): string | undefined {
    const variable = values['graph-token-env']
    if (variable !== undefined) return secretOf(env, variable)
    return values['graph-token-stdin'] ? secretOf({ stdin: readStdin() }, 'stdin') : undefined
  }

  const { service, graph, workspace, evaluations, yes, out } = values
  const token = graphToken()
  if (service === undefined && token === undefined)
    throw new UsageError('Cannot probe: name the service, a token for Graph, or both')
  if (!/^[0-4]$/.test(evaluations))
    throw new UsageError('Cannot use --evaluations: it must be 0 to 4')
  if (!/^[\w-]{1,64}$/.test(workspace))
    throw new UsageError('Cannot use --workspace: it must be "default" or an id')
  return {
    service:
      service === undefined ? undefined : { url: urlOf(service, 'service'), caller: callerOf() },
    graph: token === undefined ? undefined : { url: urlOf(graph, 'graph'), token },
    workspace,
    // Evaluations are created at Graph itself.
    evaluations: token === undefined ? 0 : Number(evaluations),
    proxied: Boolean(env['HTTPS_PROXY'] ?? env['https_proxy']),
    yes,
    out,
  }
}

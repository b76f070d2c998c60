import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { certificateProblem, isGraphAudience, valueProblem } from './config-values.ts'
import { parseRedisUrls } from './redis-urls.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

const isLoopback = (url: URL): boolean =>
  loopback.has(url.hostname) || url.hostname.endsWith('.localhost')

/** A root that paths are appended to: no credentials, query, fragment or closing slash. */
const root = (protocols: string[], accept: (url: URL) => boolean, error: string) =>
  z
    .string()
    .refine(text => {
      const url = URL.canParse(text) ? new URL(text) : undefined
      if (!url || url.username || url.password || url.search || url.hash) return false
      return protocols.includes(url.protocol) && accept(url)
    }, error)
    .transform(text => new URL(text).href.replace(/\/+$/, ''))

const secureRoot = root(
  ['https:', 'http:'],
  url => url.protocol === 'https:' || isLoopback(url),
  'must be an https URL, or http on loopback',
)

const integer = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,9}$/, error)
    .transform(Number)
    .refine(value => value >= min && value <= max, error)
}

const guid = z.guid('must be a GUID')

/** Graph has two versions; a root without one would lead nowhere. */
const graphVersion = /\/(beta|v1\.0)$/

/** What a caller may read about whom to turn to. */
const contact = z.string().max(200, 'must have at most 200 characters').optional()

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** The environment, one variable a line; the description is that of docs/settings.md. */
export const environment = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: integer(1, 65_535).default(8080).describe('TCP port to listen on'),
  PUBLIC_URL: root(['https:', 'http:'], () => true, 'must be an http or https URL')
    .optional()
    .describe(
      'Base of every URL handed out; `http://localhost:PORT` when absent. A connector needs https',
    ),
  GRAPH_BASE_URL: secureRoot
    .refine(url => graphVersion.test(url), 'must end in /beta or /v1.0')
    .default('https://graph.microsoft.com/beta')
    .describe('Root of Microsoft Graph, with its version: https, or http on loopback'),
  WORKSPACE_ID: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "-" or "_"')
    .default('default')
    .describe('Security Copilot workspace'),
  ENTRA_AUTHORITY: secureRoot
    .default('https://login.microsoftonline.com')
    .describe('Host of the token issuer: https, or http on loopback'),
  ENTRA_TENANT_ID: guid.describe("Tenant of this API's registration; required"),
  ENTRA_CLIENT_ID: guid.describe("Client id of this API's registration; required"),
  ENTRA_CLIENT_SECRET: z
    .string()
    .optional()
    .describe(
      "This API's secret for on-behalf-of; this, the certificate or the assertion is required",
    ),
  ENTRA_CLIENT_SECRET_FILE: z.string().optional().describe('File that holds `ENTRA_CLIENT_SECRET`'),
  ENTRA_CLIENT_CERTIFICATE_PATH: z
    .string()
    .optional()
    .describe("PEM file with this API's certificate and key, instead of the secret"),
  ENTRA_CLIENT_CERTIFICATE_PATH_FILE: z
    .string()
    .optional()
    .describe('File that holds `ENTRA_CLIENT_CERTIFICATE_PATH`'),
  ENTRA_CLIENT_ASSERTION: z
    .enum(['managed-identity', 'file'], 'must be managed-identity or file')
    .optional()
    .describe(
      'No secret: a managed identity, or a `file` with a federated token, stands in for it',
    ),
  ENTRA_MANAGED_IDENTITY_CLIENT_ID: guid
    .optional()
    .describe('Client id of the managed identity, where there are several'),
  ENTRA_FEDERATED_TOKEN_FILE: z
    .string()
    .optional()
    .describe(
      'File of the federated token, read anew for each exchange; `AZURE_FEDERATED_TOKEN_FILE` when absent',
    ),
  ENTRA_AUDIENCE: z.string().optional().describe('A further audience accepted in bearer tokens'),
  ENTRA_SCOPE: z.string().default('access_as_user').describe('Scope that a bearer token must hold'),
  ENTRA_ALLOWED_TENANTS: z
    .string()
    .transform(list => list.split(',').map(tenant => tenant.trim()))
    .pipe(z.array(guid, 'must be GUIDs separated by commas'))
    .optional()
    .describe('Tenants whose users may call, comma-separated; `ENTRA_TENANT_ID` when absent'),
  REDIS_URL: z
    .string()
    .superRefine((text, context) => {
      try {
        parseRedisUrls(text)
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message })
      }
    })
    .optional()
    .describe(
      'Store shared by replicas, `redis` or `rediss`; several URLs separated by commas; in memory when absent',
    ),
  REDIS_URL_FILE: z
    .string()
    .optional()
    .describe('File that holds `REDIS_URL`; read anew whenever a connection was lost'),
  REDIS_MODE: z
    .enum(['standalone', 'cluster', 'sentinel'], 'must be standalone, cluster or sentinel')
    .default('standalone')
    .describe(
      'What the URLs name: `standalone` servers, nodes of a `cluster`, or `sentinel`s that know the master',
    ),
  REDIS_SENTINEL_NAME: z
    .string()
    .default('mymaster')
    .describe('Name of the master, for `REDIS_MODE=sentinel`'),
  REDIS_AUTH: z
    .enum(['url', 'entra'], 'must be url or entra')
    .default('url')
    .describe(
      "How to sign in: as the `url` says, or by a token of the managed or workload identity (`entra`), as the URL's user or else its own object id",
    ),
  RATE_LIMIT_CALLS: integer(1, 1_000_000)
    .default(600)
    .describe('Calls allowed per connection and window'),
  RATE_LIMIT_SECONDS: integer(1, 86_400).default(60).describe('Length of the window, in seconds'),
  EVALUATIONS_PER_HOUR: integer(1, 1_000_000)
    .optional()
    .describe(
      'Evaluations that one user or app may start in any 60 minutes; any number when absent',
    ),
  SUBMIT_WAIT_SECONDS: integer(0, 100)
    .default(60)
    .describe(
      'How long Submit waits for the answer when the caller does not say, in seconds: 0 to 100',
    ),
  RESULT_WAIT_SECONDS: integer(0, 100)
    .default(20)
    .describe('How long a poll of `/result` waits for the end, in seconds: 0 to 100'),
  PROMPTBOOKS_PATH: z
    .string()
    .optional()
    .describe('Folder of promptbooks; there are none when absent'),
  WATCH_PAGE: z
    .enum(['on', 'off'], 'must be on or off')
    .default('off')
    .describe('`on` serves `/watch`, a page to ask and read, outside of the sandbox too'),
  CONNECTOR_CONTACT_NAME: contact.describe(
    "Whom the connector's users turn to: a name, for its definition",
  ),
  CONNECTOR_CONTACT_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional()
    .describe('The same: a page'),
  CONNECTOR_CONTACT_EMAIL: z
    .email('must be an email address')
    .optional()
    .describe('The same: an email address'),
  SKILL_MODE: z
    .enum(['content', 'native'], 'must be content or native')
    .default('content')
    .describe(
      'How a skill reaches Graph: written into the `content`, or `native` for the day Graph accepts it',
    ),
  LOG_LEVEL: z
    .enum(levels, `must be one of ${levels.join(', ')}`)
    .default('info')
    .describe('pino level'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional()
    .describe('Where traces are sent by OTLP over HTTP; none are recorded when absent'),
  METRICS_PORT: integer(1, 65_535)
    .optional()
    .describe('Port that serves `/metrics`; nothing is exposed when absent'),
})

/** The configuration: frozen, every default filled in, files read. */
export type Config = Readonly<
  z.output<typeof environment> & { PUBLIC_URL: string; ENTRA_ALLOWED_TENANTS: string[] }
>

/** A configuration that cannot be used. The message names every bad variable and never a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

type Environment = Record<string, string | undefined>

/** Variables whose value may stand in a file, which `NAME_FILE` names. */
const fromFiles = ['ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_CERTIFICATE_PATH', 'REDIS_URL']

/**
 * Fills `NAME` from the file that `NAME_FILE` names; a variable set both ways, or a file that
 * cannot be read, is a problem.
 */
function readFiles(env: Environment, problems: string[]): void {
  for (const name of fromFiles) {
    const file = env[`${name}_FILE`]
    if (file === undefined) continue
    if (env[name] !== undefined)
      problems.push(`${name} is set twice, by itself and by ${name}_FILE`)
    try {
      env[name] = readFileSync(file, 'utf8').trim()
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read`)
      continue
    }
    if (env[name] === '') problems.push(`${name}_FILE names an empty file`)
  }
}

/** What is wrong with this API's own credential: it is of one kind, and that is complete. */
function credentialProblems(env: Environment): string[] {
  const problems: string[] = []
  const kinds = ['ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_CERTIFICATE_PATH', 'ENTRA_CLIENT_ASSERTION']
  if (kinds.filter(name => env[name]).length !== 1) {
    problems.push(`${kinds.join(' or ')} is required, and only one of them`)
  }
  const certificate = env['ENTRA_CLIENT_CERTIFICATE_PATH']
  const problem = certificate === undefined ? undefined : certificateProblem(certificate)
  if (problem) problems.push(`ENTRA_CLIENT_CERTIFICATE_PATH ${problem}`)
  if (env['ENTRA_CLIENT_ASSERTION'] !== 'file') return problems
  try {
    readFileSync(env['ENTRA_FEDERATED_TOKEN_FILE'] ?? '', 'utf8')
  } catch {
    problems.push(
      env['ENTRA_FEDERATED_TOKEN_FILE'] === undefined
        ? 'ENTRA_FEDERATED_TOKEN_FILE is required for ENTRA_CLIENT_ASSERTION=file'
        : 'ENTRA_FEDERATED_TOKEN_FILE names a file that cannot be read',
    )
  }
  return problems
}

/** What is wrong with how this API's registration in Entra is described. */
function entraProblems(env: Environment): string[] {
  const problems: string[] = []
  const authority = env['ENTRA_AUTHORITY'] ?? ''
  if (URL.canParse(authority) && new URL(authority).pathname !== '/') {
    problems.push('ENTRA_AUTHORITY must have no path: the tenant is ENTRA_TENANT_ID')
  }
  if (isGraphAudience(env['ENTRA_AUDIENCE'] ?? '')) {
    problems.push('ENTRA_AUDIENCE must be this API, not Microsoft Graph')
  }
  return [...problems, ...credentialProblems(env)]
}

/**
 * What is no error and yet seldom meant, a sentence each.
 */
export function configWarnings({ PUBLIC_URL }: Pick<Config, 'PUBLIC_URL'>): string[] {
  const url = new URL(PUBLIC_URL)
  return url.protocol === 'https:' || isLoopback(url)
    ? []
    : ['PUBLIC_URL is http: connectors need https, and callers send their tokens in clear']
}

/**
 * Reads the configuration from environment variables. Each is trimmed; an empty one counts as
 * absent, and so do those that are not ours.
 * @throws ConfigError naming every variable that is missing or wrong.
 */
export function readConfig(variables: Environment): Config {
  const env: Environment = {}
  for (const name of Object.keys(environment.shape)) {
    const value = variables[name]?.trim()
    if (value) env[name] = value
  }
  if (env['ENTRA_CLIENT_ASSERTION'] === 'file') {
    const projected = variables['AZURE_FEDERATED_TOKEN_FILE']?.trim()
    if (projected) env['ENTRA_FEDERATED_TOKEN_FILE'] ??= projected
  }
  const problems: string[] = []
  readFiles(env, problems)
  const unusable = new Set<string>()
  for (const [name, value = ''] of Object.entries(env)) {
    const problem = valueProblem(value)
    if (problem === undefined) continue
    unusable.add(name)
    problems.push(`${name} ${problem}`)
  }
  const parsed = environment.safeParse(env)
  const issues = [
    ...(parsed.error?.issues ?? []).map(({ path: [name], message }) => {
      return `${String(name)} ${env[String(name)] === undefined ? 'is required' : message}`
    }),
    ...entraProblems(env),
  ]
  if (env['METRICS_PORT'] !== undefined && env['METRICS_PORT'] === (env['PORT'] ?? '8080')) {
    issues.push('METRICS_PORT must not be the port of the service, PORT')
  }
  // What is in quotes is wrong in other ways too: once is enough.
  problems.push(...issues.filter(issue => !unusable.has(issue.slice(0, issue.indexOf(' ')))))
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`Cannot read the configuration: ${[...new Set(problems)].join('; ')}`)
  }
  const { data } = parsed
  return Object.freeze({
    ...data,
    PUBLIC_URL: data.PUBLIC_URL ?? `http://localhost:${data.PORT}`,
    ENTRA_ALLOWED_TENANTS: data.ENTRA_ALLOWED_TENANTS ?? [data.ENTRA_TENANT_ID],
  })
}

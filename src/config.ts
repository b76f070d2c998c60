import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { certificateProblem } from './auth/certificate-file.ts'

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

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** The environment, one variable a line; the description is the README's. */
export const environment = z.object({
  HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  PORT: integer(1, 65_535).default(8080).describe('TCP port to listen on'),
  PUBLIC_URL: root(['https:', 'http:'], () => true, 'must be an http or https URL')
    .optional()
    .describe(
      'Base of every URL handed out; `http://localhost:PORT` when absent. A connector needs https',
    ),
  GRAPH_BASE_URL: secureRoot
    .default('https://graph.microsoft.com/beta')
    .describe('Root of Microsoft Graph: https, or http on loopback'),
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
    .url({ protocol: /^rediss?$/, error: 'must be a redis or rediss URL' })
    .optional()
    .describe('Store shared by replicas; in memory when absent'),
  RATE_LIMIT_CALLS: integer(1, 1_000_000)
    .default(600)
    .describe('Calls allowed per connection and window'),
  RATE_LIMIT_SECONDS: integer(1, 86_400).default(60).describe('Length of the window, in seconds'),
  SUBMIT_WAIT_SECONDS: integer(0, 100)
    .default(60)
    .describe(
      'How long Submit waits for the answer when the caller does not say, in seconds: 0 to 100',
    ),
  RESULT_WAIT_SECONDS: integer(0, 100)
    .default(20)
    .describe('How long a poll of `/result` waits for the end, in seconds: 0 to 100'),
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

/**
 * Fills `NAME` from the file that `NAME_FILE` names; a variable set both ways, or a file that
 * cannot be read, is a problem.
 */
function readFiles(env: Environment, problems: string[]): void {
  for (const name of ['ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_CERTIFICATE_PATH']) {
    const file = env[`${name}_FILE`]
    if (file === undefined) continue
    if (env[name] !== undefined)
      problems.push(`${name} is set twice, by itself and by ${name}_FILE`)
    try {
      env[name] = readFileSync(file, 'utf8').trim()
    } catch {
      problems.push(`${name}_FILE names a file that cannot be read`)
    }
  }
}

/** A file is read when Entra is first asked; that it can be is better known at the start. */
function checkFile(env: Environment, name: string, problems: string[]): string | undefined {
  try {
    return readFileSync(env[name] ?? '', 'utf8')
  } catch {
    problems.push(`${name} names a file that cannot be read`)
    return undefined
  }
}

/** This API's own credential is of one kind, and that is complete. */
function checkCredential(env: Environment, problems: string[]): void {
  const kinds = ['ENTRA_CLIENT_SECRET', 'ENTRA_CLIENT_CERTIFICATE_PATH', 'ENTRA_CLIENT_ASSERTION']
  // A file with nothing in it is no secret.
  if (kinds.filter(name => env[name]).length !== 1)
    problems.push(`${kinds.join(' or ')} is required, and only one of them`)
  if (env['ENTRA_CLIENT_CERTIFICATE_PATH'] !== undefined) {
    const pem = checkFile(env, 'ENTRA_CLIENT_CERTIFICATE_PATH', problems)
    const problem = pem === undefined ? undefined : certificateProblem(pem)
    if (problem) problems.push(`ENTRA_CLIENT_CERTIFICATE_PATH ${problem}`)
  }
  if (env['ENTRA_CLIENT_ASSERTION'] !== 'file') return
  env['ENTRA_FEDERATED_TOKEN_FILE'] ??= env['AZURE_FEDERATED_TOKEN_FILE']
  if (env['ENTRA_FEDERATED_TOKEN_FILE'] === undefined)
    problems.push('ENTRA_FEDERATED_TOKEN_FILE is required for ENTRA_CLIENT_ASSERTION=file')
  else checkFile(env, 'ENTRA_FEDERATED_TOKEN_FILE', problems)
}

/**
 * Reads the configuration from environment variables; an empty variable counts as absent.
 * @throws ConfigError naming every variable that is missing or wrong.
 */
export function readConfig(variables: Environment): Config {
  const env: Environment = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== ''),
  )
  const problems: string[] = []
  readFiles(env, problems)
  checkCredential(env, problems)
  const parsed = environment.safeParse(env)
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0])
    problems.push(`${name} ${env[name] === undefined ? 'is required' : issue.message}`)
  }
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

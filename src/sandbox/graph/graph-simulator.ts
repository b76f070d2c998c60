import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Clock } from '../../lib/clock.ts'
import { routesByPath } from '../../lib/routes-by-path.ts'
import type { Call, Caller } from './call.ts'
import { GraphError, graphError, scriptedError, strangeAnswers } from './error-response.ts'
import type { Model } from './graph-model.ts'
import { QueryError } from './odata.ts'
import { errorOf, type Outcome } from './attempts.ts'
import { checkWorkspace, publishedOperations, type OperationOptions } from './operations.ts'
import { reshape } from './reshape.ts'
import { createTransport, type TransportOptions } from './transport.ts'
import type { Shape } from './shapes.ts'
import type { Answer } from './responses.ts'
import { readScript, type Failure, type Operation } from './markers.ts'

export interface SimulatorOptions extends OperationOptions, TransportOptions {
  readonly clock: Clock
  /** Permissions that let a caller read, and write. @default Read.All alone, ReadWrite.All alone */
  readonly permissions?: Partial<Permissions> | undefined
  /** Operations that are always refused. */
  readonly refused?: Readonly<Partial<Record<Operation, Outcome>>> | undefined
  /** Members of other kinds than usual. */
  readonly shapes?: Readonly<Partial<Record<Operation, Shape>>> | undefined
  /** Whom a bearer token stands for; `undefined` refuses it. */
  authorise(token: string): Caller | undefined
  /** Hears of every call that is published, before it is answered. */
  onCall?(operation: Operation): void
  /** A schedule of failures, asked for every call before the markers are. */
  fault?(operation: Operation): Failure | undefined
}

type BrokenKind = 'reset' | 'lost' | 'truncated' | 'drip' | 'stall'

const root = '/beta'
const workspaces = `${root}/security/securityCopilot/workspaces`

export interface Permissions {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** The least privileged permissions: Read.All does not write, and ReadWrite.All does not read. */
const leastPermissions: Permissions = {
  read: ['SecurityCopilotWorkspaces.Read.All'],
  write: ['SecurityCopilotWorkspaces.ReadWrite.All'],
}

function authorised(
  { headers, method }: FastifyRequest,
  { authorise, permissions }: Pick<SimulatorOptions, 'authorise' | 'permissions'>,
): Caller {
  const caller = authorise(/^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? '')
  if (!caller) throw graphError(401)
  const { read, write } = { ...leastPermissions, ...permissions }
  if (!(method === 'GET' ? read : write).some(name => caller.scopes.includes(name)))
    throw graphError(403)
  return caller
}

/**
 * How a call is scripted to fail: by the text it sends, else by the prompts that its path names.
 */
function scriptedFailure(
  name: Operation,
  { caller, params, body }: Call,
  model: Model,
): Failure | undefined {
  const text = body['displayName'] ?? body['content']
  if (typeof text === 'string') return readScript(text).failures.get(name)
  if (!('session' in params)) return undefined
  const scripts = model.scripts(caller.owner, params.session, params.prompt)
  return scripts.map(({ failures }) => failures.get(name)).find(failure => failure !== undefined)
}

/** Pause between the letters of an answer that drips, in real ms. */
const dripMs = 20

/**
 * Answers that never come whole: the operation runs before a `lost`, `truncated` or `drip` answer,
 * and not before the others.
 */
function breakOff(reply: FastifyReply, kind: BrokenKind, run: () => Answer): void {
  reply.hijack()
  const { socket } = reply.request.raw
  if (kind === 'stall') return
  if (kind === 'reset') {
    socket.destroy()
    return
  }
  const text = JSON.stringify(run().body)
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n`
  if (kind === 'lost') socket.destroy()
  else if (kind === 'truncated') socket.end(head + text.slice(0, 20))
  else {
    socket.write(head)
    let sent = 0
    const dripping = setInterval(() => socket.write(text.charAt(sent++)), dripMs)
    socket.once('close', () => clearInterval(dripping))
  }
}

/**
 * Graph's HTTP over the model: the twelve published operations, and Graph's errors for everything
 * else.
 */
export function createGraphSimulator({
  clock,
  authorise,
  onCall,
  fault,
  permissions,
  refused = {},
  shapes = {},
  ...options
}: SimulatorOptions): FastifyInstance {
  const app = Fastify({
    routerOptions: { ignoreTrailingSlash: true },
    genReqId: () => randomUUID(),
  })
  const methodsOf = routesByPath(app)
  const failed = new Map<string, number>()

  /** Whether a failure that comes a number of times is due once more, at this place. */
  function isDue({ times }: Failure, place: string): boolean {
    const before = failed.get(place) ?? 0
    failed.set(place, before + 1)
    return times === undefined || before < times
  }

  const { begin, send } = createTransport(clock, options)
  app.addHook('onRequest', begin)

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error instanceof QueryError ? 400 : (error.statusCode ?? 500)
    const known = error instanceof GraphError ? error : graphError(status)
    const innerError = {
      date: new Date(clock.now()).toISOString().slice(0, 19),
      'request-id': request.id,
      'client-request-id': reply.getHeader('client-request-id'),
    }
    reply.code(known.status).headers(known.headers)
    return send(reply, { error: { code: known.code, message: known.message, innerError } })
  })

  app.setNotFoundHandler(async request => {
    throw graphError(methodsOf(request.url.replace(/\/?(\?.*)?$/s, '')) ? 405 : 404)
  })

  for (const { name, method, path, run } of publishedOperations(options)) {
    app.route({
      method,
      url: workspaces + path,
      exposeHeadRoute: false,
      handler: (request, reply) => {
        const call: Call = {
          caller: authorised(request, { authorise, permissions }),
          params: request.params as Call['params'],
          query: request.query as Call['query'],
          body: (request.body ?? {}) as Call['body'],
          base: `${request.protocol}://${request.host}${root}`,
          path: request.url.slice(root.length).replace(/\?.*/s, ''),
        }
        onCall?.(name)
        const { workspace = 'default' } = call.params
        checkWorkspace(workspace, options.outcomes)
        if (refused[name]) throw errorOf(refused[name])
        const planned = fault?.(name) ?? scriptedFailure(name, call, options.model)
        const failure = planned && isDue(planned, `${name} ${request.url}`) ? planned : undefined
        const error = failure && scriptedError(failure)
        if (error) throw error
        switch (failure?.kind) {
          case 'html':
          case 'shape':
          case 'redirect': {
            const { status, type, headers, body } = strangeAnswers[failure.kind]
            return reply.code(status).headers(headers).type(type).send(body)
          }
          case 'reset':
          case 'lost':
          case 'truncated':
          case 'drip':
          case 'stall':
            breakOff(reply, failure.kind, () => run(call))
            return reply
        }
        const answer = run(call)
        const shape = shapes[name]
        return send(reply.code(answer.status), shape ? reshape(answer.body, shape) : answer.body)
      },
    })
  }
  return app
}

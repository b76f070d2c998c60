import {
  evaluations,
  listed,
  plugins,
  prompts,
  read,
  sessions,
  written,
  type Answer,
  type PagingOptions,
} from './responses.ts'
import { allow, succeeds, type Attempt, type Outcomes } from './attempts.ts'
import { found as foundIn, onlyProperties, requiredText, type Call } from './call.ts'
import { graphError } from './error-response.ts'
import type { Model, PromptBody } from './graph-model.ts'
import { pageOf } from './odata.ts'
import type { Operation } from './markers.ts'

export interface OperationOptions extends PagingOptions {
  readonly model: Model
  /**
   * Answers list-evaluations with one bare entity, as the reference page's sample does. @default
   * false
   */
  readonly bareEvaluation?: boolean | undefined
  /** Accepts prompts of type "skill", which Graph does not yet. @default false */
  readonly skills?: boolean | undefined
  /** How attempts end that the reference pages do not tell of. @default assumedOutcomes */
  readonly outcomes?: Outcomes | undefined
}

export interface PublishedOperation {
  readonly name: Operation
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** Below `/security/securityCopilot/workspaces`. */
  readonly path: string
  run(call: Call): Answer
}

/** The one workspace, besides its alias `default`. */
export const workspaceId = '17aafe23-ab95-3b37-9546-56dec5ac0218'
const workspaceName = 'SecurityCopilot_Workspace'

/** Refuses a workspace that does not exist, or that cannot be named so. */
export function checkWorkspace(key: string, outcomes: Outcomes | undefined): void {
  if (key === 'default') allow('workspaceByDefault', outcomes)
  else if (key === workspaceId) allow('workspaceById', outcomes)
  else allow(key === workspaceName ? 'workspaceByName' : 'unknownWorkspace', outcomes)
}

const sessionsPath = '/:workspace/sessions'
const sessionPath = `${sessionsPath}/:session`
const promptsPath = `${sessionPath}/prompts`
const promptPath = `${promptsPath}/:prompt`
const evaluationsPath = `${promptPath}/evaluations`

function listWorkspaces({ query }: Call): Answer {
  const workspace = { id: workspaceId, displayName: workspaceName }
  // The sample of this list, unlike the others, has a type on each item and no context.
  const type = '#microsoft.graph.security.securityCopilot.workspace'
  const value = pageOf([workspace], query, 1).items.map(item => ({
    '@odata.type': type,
    ...item,
  }))
  return { status: 200, body: { value } }
}

/** The twelve published operations. */
export function publishedOperations(options: OperationOptions): readonly PublishedOperation[] {
  const { model, bareEvaluation = false, outcomes } = options
  const { skills = succeeds('skillPrompt', outcomes) } = options
  const found = <T>(entity: T | undefined, attempt: Attempt): T =>
    foundIn(entity, attempt, outcomes)

  function createSession(call: Call): Answer {
    onlyProperties(call, 'displayName')
    const named = 'displayName' in call.body
    if (!named) allow('namelessSession', outcomes)
    const displayName = named ? requiredText(call, 'displayName') : null
    return written(call, sessions, model.createSession(call.caller.owner, displayName))
  }

  function updateSession(call: Call): Answer {
    const { caller, params } = call
    onlyProperties(call, 'displayName')
    const session =
      'displayName' in call.body
        ? model.updateSession(caller.owner, params.session, requiredText(call, 'displayName'))
        : model.getSession(caller.owner, params.session)
    return written(call, sessions, found(session, 'unknownSession'), 200)
  }

  /** Text of any length, unless an outcome says that it is too long. */
  function readContent(call: Call): string {
    const { content } = call.body
    const text = typeof content === 'string' ? content : ''
    if (text.trim() === '') allow('blankContent', outcomes)
    if (text.length >= 100_000) allow('longContent', outcomes)
    if (text.length >= 1_000_000) allow('overlongContent', outcomes)
    return text
  }

  function createPrompt(call: Call): Answer {
    const { body, caller, params } = call
    if (body['type'] === 'skill' && !skills) allow('skillPrompt', outcomes)
    onlyProperties(call, 'type', 'content', ...(skills ? ['skillName', 'inputs'] : []))
    if (body['type'] !== 'prompt' && !(skills && body['type'] === 'skill')) throw graphError(400)
    const content = readContent(call)
    const prompt = model.createPrompt(caller.owner, params.session, {
      ...(body as unknown as PromptBody),
      content,
    })
    return written(call, prompts, found(prompt, 'unknownSession'))
  }

  function listEvaluations(call: Call): Answer {
    const { caller, params } = call
    const all = found(
      model.listEvaluations(caller.owner, params.session, params.prompt),
      'unknownPrompt',
    )
    const newest = bareEvaluation ? all.at(-1) : undefined
    return newest ? read(call, evaluations, newest, '') : listed(call, evaluations, all, options)
  }

  function createEvaluation(call: Call): Answer {
    const { caller, params } = call
    onlyProperties(call)
    const evaluated = model.countEvaluations(caller.owner, params.session, params.prompt)
    if (evaluated > 0) allow('secondEvaluation', outcomes)
    const evaluation = model.createEvaluation(caller.owner, params.session, params.prompt)
    return written(call, evaluations, found(evaluation, 'unknownPrompt'))
  }

  return [
    { name: 'listWorkspaces', method: 'GET', path: '', run: listWorkspaces },
    {
      name: 'listPlugins',
      method: 'GET',
      path: '/:workspace/plugins',
      run: call => listed(call, plugins, model.listPlugins(), options),
    },
    {
      name: 'listSessions',
      method: 'GET',
      path: sessionsPath,
      run: call => listed(call, sessions, model.listSessions(call.caller.owner), options),
    },
    { name: 'createSession', method: 'POST', path: sessionsPath, run: createSession },
    {
      name: 'getSession',
      method: 'GET',
      path: sessionPath,
      run: call =>
        read(
          call,
          sessions,
          found(model.getSession(call.caller.owner, call.params.session), 'unknownSession'),
        ),
    },
    { name: 'updateSession', method: 'PATCH', path: sessionPath, run: updateSession },
    {
      name: 'listPrompts',
      method: 'GET',
      path: promptsPath,
      run: call =>
        listed(
          call,
          prompts,
          found(model.listPrompts(call.caller.owner, call.params.session), 'unknownSession'),
          options,
        ),
    },
    { name: 'createPrompt', method: 'POST', path: promptsPath, run: createPrompt },
    {
      name: 'getPrompt',
      method: 'GET',
      path: promptPath,
      run: call => {
        const { session, prompt } = call.params
        const entity = model.getPrompt(call.caller.owner, session, prompt)
        return read(call, prompts, found(entity, 'unknownPrompt'))
      },
    },
    { name: 'listEvaluations', method: 'GET', path: evaluationsPath, run: listEvaluations },
    { name: 'createEvaluation', method: 'POST', path: evaluationsPath, run: createEvaluation },
    {
      name: 'getEvaluation',
      method: 'GET',
      path: `${evaluationsPath}/:evaluation`,
      run: call => {
        const { session, prompt, evaluation } = call.params
        const entity = model.getEvaluation(call.caller.owner, session, prompt, evaluation)
        return read(call, evaluations, found(entity, 'unknownEvaluation'))
      },
    },
  ]
}

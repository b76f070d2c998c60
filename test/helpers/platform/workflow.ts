import { randomUUID } from 'node:crypto'
import type { Clock } from '../../../src/lib/clock.ts'
import { evaluate, pureFunctions, type Functions } from './expressions.ts'
import { runHttpAction, type ActionOutput, type ActionRequest } from './http-action.ts'

export interface WorkflowOptions {
  readonly clock: Clock
  /** Values of the definition's parameters. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly triggerBody: unknown
  /** The request of a connector's action. */
  connectorRequest?(inputs: any): ActionRequest
  /** A token of the workflow's managed identity. */
  identityToken?(audience: string): Promise<string>
  /** Where a public address really is. */
  resolve?(url: string): string
}

export interface WorkflowRun {
  readonly status: 'Succeeded' | 'Failed'
  readonly error?: { readonly code: string; readonly message: string }
  /** By the action's name. */
  readonly outputs: Readonly<Record<string, any>>
}

class Terminated extends Error {
  readonly runError: { code: string; message: string }

  constructor(runError: { code: string; message: string }) {
    super('The run was terminated')
    this.runError = runError
  }
}

const never = new AbortController().signal

/**
 * Runs a workflow definition, as far as the examples need: knows only the platform's public rules.
 */
export async function runWorkflow(definition: any, options: WorkflowOptions): Promise<WorkflowRun> {
  const outputs: Record<string, any> = {}
  const run = { name: randomUUID() }
  const defaults = Object.entries<any>(definition.parameters ?? {}).map(
    ([name, { defaultValue }]) => [name, defaultValue],
  )
  const parameters = { ...Object.fromEntries(defaults), ...options.parameters }
  const functions: Functions = {
    ...pureFunctions,
    parameters: name => {
      if (parameters[name] === undefined)
        throw new Error(`Cannot read the parameter "${name}": it has no value`)
      return parameters[name]
    },
    triggerbody: () => options.triggerBody,
    outputs: name => outputs[name] ?? null,
    body: name => outputs[name]?.body ?? null,
    workflow: () => ({ run }),
  }

  async function call(request: ActionRequest, { operationOptions }: any): Promise<ActionOutput> {
    const output = await runHttpAction(request, {
      clock: options.clock,
      disableAsyncPattern: operationOptions === 'DisableAsyncPattern',
      resolve: options.resolve ?? (url => url),
    })
    if (output.statusCode < 400) return output
    const { code, message } = (output.body as any)?.error ?? {
      code: String(output.statusCode),
      message: '',
    }
    throw new Terminated({ code, message })
  }

  function holds(condition: any): boolean {
    const [[kind, operands]] = Object.entries<any>(condition) as [[string, any[]]]
    if (kind === 'and') return operands.every(holds)
    return Boolean(functions[kind]?.(...evaluate(operands, functions)))
  }

  const kinds: Record<string, (action: any) => Promise<unknown>> = {
    Compose: async ({ inputs }) => evaluate(inputs, functions),
    Wait: async ({ inputs }) => options.clock.sleep(inputs.interval.count * 1000, never),
    Terminate: async ({ inputs }) => {
      throw new Terminated(evaluate(inputs.runError, functions))
    },
    If: async action => runActions(holds(action.expression) ? action.actions : action.else.actions),
    Until: async ({ expression, actions, limit }) => {
      for (let turn = 0; turn < limit.count; turn += 1) {
        await runActions(actions)
        if (evaluate(expression, functions) === true) return
      }
    },
    Http: async action => {
      const { method, uri, headers, body, authentication } = evaluate(action.inputs, functions)
      const signedIn =
        authentication?.type === 'ManagedServiceIdentity'
          ? { Authorization: `Bearer ${await options.identityToken?.(authentication.audience)}` }
          : {}
      return call({ method, url: uri, headers: { ...headers, ...signedIn }, body }, action)
    },
    ApiConnection: async action => call(connectorRequest(action), action),
    OpenApiConnection: async action => call(connectorRequest(action), action),
  }

  function connectorRequest({ inputs }: any): ActionRequest {
    if (!options.connectorRequest) throw new Error('Cannot call a connector: there is none')
    return options.connectorRequest(evaluate(inputs, functions))
  }

  /** One after the other, each once those it runs after are done. */
  async function runActions(actions: Record<string, any>): Promise<void> {
    const left = new Map(Object.entries(actions))
    while (left.size > 0) {
      const ready = [...left].find(([, { runAfter = {} }]) =>
        Object.keys(runAfter).every(name => !left.has(name)),
      )
      if (!ready) throw new Error('Cannot order the actions: they wait for one another')
      const [name, action] = ready
      const kind = kinds[action.type]
      if (!kind) throw new Error(`Cannot run "${name}": no action of type "${action.type}"`)
      outputs[name] = await kind(action)
      left.delete(name)
    }
  }

  try {
    await runActions(definition.actions)
    return { status: 'Succeeded', outputs }
  } catch (error) {
    if (error instanceof Terminated) return { status: 'Failed', error: error.runError, outputs }
    throw error
  }
}

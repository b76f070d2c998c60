import { ConnectorError } from '../errors.ts'
import { connectionInfo } from './connection-schema.ts'
import { errorAnswer } from './error-schema.ts'
import {
  pluginList,
  promptbookInputSchema,
  promptbookList,
  promptbookOperation,
  promptbookResult,
  promptbookStep,
} from './promptbook-schemas.ts'
import {
  answer,
  evaluationResult,
  operationStatus,
  promptbookPromptEvaluationResult,
  promptbookRunResult,
} from './result-schemas.ts'

export * from './connection-schema.ts'
export * from './id-schemas.ts'
export * from './promptbook-requests.ts'
export * from './promptbook-schemas.ts'
export * from './request-schemas.ts'
export * from './result-schemas.ts'

/** The named responses, as both documents call them; one that no route has stands in neither. */
export const named = {
  EvaluationResult: evaluationResult,
  PromptbookPromptEvaluationResult: promptbookPromptEvaluationResult,
  PromptbookRunResult: promptbookRunResult,
  OperationStatus: operationStatus,
  Answer: answer,
  PromptbookResult: promptbookResult,
  PromptbookStep: promptbookStep,
  PromptbookOperation: promptbookOperation,
  ConnectionInfo: connectionInfo,
  PluginList: pluginList,
  PromptbookList: promptbookList,
  PromptbookInputSchema: promptbookInputSchema,
  ErrorAnswer: errorAnswer,
}

const inWire = (target = ''): string => target.replace(/^plugins/, 'Skillsets')

/**
 * An error of copilot/ in the wire's names: what it calls plugins, the body calls `Skillsets`.
 * Anything else thrown stays as it is. Pure.
 */
export function inWireNames(error: unknown): unknown {
  if (!(error instanceof ConnectorError) || error.code !== 'PluginNotEnabled') return error
  const { details = [], ...shown } = error.shown
  return new ConnectorError(
    error.code,
    error.message,
    {
      ...shown,
      target: inWire(shown.target),
      details: details.map(detail => ({ ...detail, target: inWire(detail.target) })),
    },
    error.inner,
  )
}

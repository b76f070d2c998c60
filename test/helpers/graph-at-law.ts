import { randomUUID } from 'node:crypto'
import { ConnectorError } from '../../src/errors.ts'
import type { GraphClient } from '../../src/graph/client.ts'
import type { Evaluation, Prompt } from '../../src/graph/resources.ts'
import type { Clock } from '../../src/lib/clock.ts'

/** What becomes of one attempt to create an evaluation. */
export type Attempt =
  | 'works'
  /** Graph throttles it: it did not run. */
  | 'throttled'
  /** It runs, and the response is lost. */
  | 'lost after'
  /** Graph fails before it runs. */
  | 'lost before'
  /** It runs, and ends for want of capacity. */
  | 'no capacity'

export interface GraphAtLaw {
  /** The client of one replica; its calls wait `queueMs` for their turn before they leave. */
  client(
    clock: Clock,
    next: () => { attempt: Attempt; queueMs: number; runMs: number },
  ): GraphClient
  /** The evaluations that spent something, by their prompt's content. */
  spent(content: string): Evaluation[]
}

interface KnownPrompt extends Prompt {
  readonly sessionId: string
  readonly evaluations: { readonly evaluation: Evaluation; readonly listedAt: number }[]
}

/** Longest time that Graph takes to run a call that has left, in ms; after that it is late. */
const maxCallMs = 15_000

const never = new AbortController().signal

/** States at Graph: sessions, prompts and evaluations, which are listed `listedAfterMs` late. */
export function graphAtLaw(time: Clock, listedAfterMs: number): GraphAtLaw {
  const prompts = new Map<string, KnownPrompt>()
  let ticks = 0
  const stamp = (): string => {
    ticks += 1
    return new Date(time.now() + ticks / 1000).toISOString()
  }
  const lost = () =>
    new ConnectorError(
      'GraphTimeout',
      'Cannot create the evaluation: Microsoft Graph took too long',
    )

  return {
    spent: content =>
      [...prompts.values()]
        .filter(prompt => prompt.content === content)
        .flatMap(prompt => prompt.evaluations.map(({ evaluation }) => evaluation))
        .filter(({ result }) => result?.type !== 'capacityExceeded'),

    client(clock, next) {
      const step = async () => {
        await time.sleep(100, never)
        await clock.sleep(100, never)
      }
      function run(promptId: string, capacity: boolean): Evaluation {
        const createdDateTime = stamp()
        const evaluation: Evaluation = {
          id: randomUUID(),
          createdDateTime,
          lastModifiedDateTime: createdDateTime,
          completedDateTime: undefined,
          state: capacity ? 'running' : 'completed',
          result: capacity ? null : { content: null, type: 'capacityExceeded' },
        }
        const listedAt = time.monotonic() + listedAfterMs
        prompts.get(promptId)?.evaluations.push({ evaluation, listedAt })
        return evaluation
      }
      const find = (id: string): KnownPrompt => {
        const prompt = prompts.get(id)
        if (!prompt)
          throw new ConnectorError('PromptNotFound', 'Cannot read the prompt: it is gone')
        return prompt
      }
      return {
        listPlugins: async () => [],
        async createSession() {
          await step()
          return { id: randomUUID() }
        },
        async listPrompts(_context, { sessionId }) {
          await step()
          return [...prompts.values()].filter(prompt => prompt.sessionId === sessionId)
        },
        async createPrompt(_context, { sessionId }, { content }) {
          await time.sleep(100, never)
          const id = randomUUID()
          const createdDateTime = stamp()
          prompts.set(id, {
            id,
            createdDateTime,
            content,
            skillName: null,
            sessionId,
            evaluations: [],
          })
          await clock.sleep(100, never)
          return { id, createdDateTime, content, skillName: null }
        },
        async getPrompt(_context, { promptId }) {
          await step()
          return find(promptId)
        },
        async listEvaluations(_context, { promptId }) {
          await step()
          return find(promptId)
            .evaluations.filter(({ listedAt }) => listedAt <= time.monotonic())
            .map(({ evaluation }) => evaluation)
        },
        async getEvaluation(_context, { promptId, evaluationId }) {
          await step()
          const found = find(promptId).evaluations.find(
            ({ evaluation }) => evaluation.id === evaluationId,
          )
          if (!found) {
            throw new ConnectorError('EvaluationNotFound', 'Cannot read it: it does not exist')
          }
          return found.evaluation
        },
        async createEvaluation(_context, { promptId }, maySend = () => true) {
          const { attempt, queueMs, runMs } = next()
          await clock.sleep(queueMs, never)
          if (!maySend()) {
            throw new ConnectorError(
              'GraphUnavailable',
              'Cannot create the evaluation: it was not sent',
              {},
              { notSent: true, final: true, ours: true, fenced: true },
            )
          }
          // It has left: what Graph does goes on, whatever becomes of the replica.
          const took = Math.min(runMs, maxCallMs)
          await time.sleep(took, never)
          const ran = attempt === 'works' || attempt === 'lost after' || attempt === 'no capacity'
          const evaluation = ran ? run(promptId, attempt !== 'no capacity') : undefined
          await clock.sleep(0, never)
          if (attempt === 'throttled') {
            throw new ConnectorError('GraphThrottled', 'Cannot create the evaluation: throttled', {
              graph: { status: 429 },
            })
          }
          if (!evaluation || attempt === 'lost after') throw lost()
          return evaluation
        },
      }
    },
  }
}

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { dateTime, ticksPerMs } from './date-time.ts'
import type { EvaluationEntity, PluginEntity, PromptEntity, SessionEntity } from './entities.ts'
import {
  evaluationAt,
  isListedAt,
  planEvaluation,
  type EvaluationHabits,
  type EvaluationPlan,
} from './evaluation-plan.ts'
import { samplePlugins } from './sample-plugins.ts'
import { readScript, type Script } from './markers.ts'
import { skillNameOf, type SkillNames } from './skill-name.ts'

export interface ModelOptions extends EvaluationHabits {
  readonly clock: Clock
  /** Which prompts get a `skillName` when they run. @default none */
  readonly skillNames?: SkillNames | undefined
  /** Whether a prompt is evaluated without being asked to. @default false */
  readonly runsUnasked?: boolean | undefined
  /** @default samplePlugins */
  readonly plugins?: readonly PluginEntity[] | undefined
}

/** What a prompt is created from. */
export interface PromptBody {
  readonly type: string
  readonly content: string
  readonly skillName?: string | undefined
  readonly inputs?: PromptEntity['inputs'] | undefined
}

interface PromptState {
  entity: PromptEntity
  readonly place: number
  readonly script: Script
  readonly evaluations: Map<string, EvaluationPlan>
}
interface SessionState {
  readonly owner: string
  entity: SessionEntity
  readonly prompts: Map<string, PromptState>
}

export type Model = ReturnType<typeof createModel>

/**
 * Security Copilot without AI: sessions, prompts and evaluations in memory, each session its
 * owner's. No HTTP; the time is the clock's. A method returns `undefined` for what does not exist,
 * or not for this owner. Ids in either case.
 */
export function createModel({
  clock,
  skillNames = {},
  runsUnasked = false,
  plugins = samplePlugins,
  ...habits
}: ModelOptions) {
  const sessions = new Map<string, SessionState>()
  let last = 0n

  /** The last tick of this millisecond: what was created within it has happened. */
  const now = (): bigint => BigInt(clock.now() + 1) * ticksPerMs - 1n

  /**
   * The present for something new, later than all before, so that no two things are created at the
   * same time.
   */
  function next(): bigint {
    const earliest = BigInt(clock.now()) * ticksPerMs
    last = earliest > last ? earliest : last + 1n
    return last
  }

  function findSession(owner: string, id: string): SessionState | undefined {
    const session = sessions.get(id.toLowerCase())
    return session?.owner === owner ? session : undefined
  }
  const findPrompt = (owner: string, sessionId: string, id: string): PromptState | undefined =>
    findSession(owner, sessionId)?.prompts.get(id.toLowerCase())

  /** The next evaluation of a prompt. Always answers `created`, however short it is. */
  function evaluate({ prompts }: SessionState, prompt: PromptState): EvaluationEntity {
    const { place, script, entity, evaluations } = prompt
    const created = next()
    const plan = planEvaluation(habits, {
      id: randomUUID(),
      created,
      content: entity.content,
      place,
      script,
      earlier: evaluations.size,
      unrun: [...prompts.values()].some(other => other.place < place && !other.evaluations.size),
    })
    evaluations.set(plan.id, plan)
    const skillName = entity.skillName ?? skillNameOf(entity.content, skillNames)
    prompt.entity = { ...entity, skillName, lastModifiedDateTime: dateTime(next()) }
    return evaluationAt(plan, created - 1n)
  }

  return {
    listPlugins: (): readonly PluginEntity[] => plugins,

    createSession(owner: string, displayName: string | null): SessionEntity {
      const created = dateTime(next())
      const entity = {
        id: randomUUID(),
        createdDateTime: created,
        lastModifiedDateTime: created,
        displayName,
      }
      sessions.set(entity.id, { owner, entity, prompts: new Map() })
      return entity
    },

    /** Newest first, as in the sample. */
    listSessions: (owner: string): SessionEntity[] =>
      [...sessions.values()]
        .filter(session => session.owner === owner)
        .map(session => session.entity)
        .toReversed(),

    getSession: (owner: string, id: string): SessionEntity | undefined =>
      findSession(owner, id)?.entity,

    updateSession(owner: string, id: string, displayName: string): SessionEntity | undefined {
      const session = findSession(owner, id)
      if (!session) return undefined
      session.entity = { ...session.entity, displayName, lastModifiedDateTime: dateTime(next()) }
      return session.entity
    },

    createPrompt(owner: string, sessionId: string, body: PromptBody): PromptEntity | undefined {
      const session = findSession(owner, sessionId)
      if (!session) return undefined
      const created = dateTime(next())
      const entity = {
        id: randomUUID(),
        type: body.type,
        createdDateTime: created,
        lastModifiedDateTime: created,
        skillName: body.skillName ?? null,
        content: body.content,
        inputs: body.inputs ?? { keyValuePairs: [] },
        skillInputDescriptors: [],
      }
      const prompt: PromptState = {
        entity,
        place: session.prompts.size + 1,
        script: readScript(body.content),
        evaluations: new Map(),
      }
      session.prompts.set(entity.id, prompt)
      if (runsUnasked) evaluate(session, prompt)
      return entity
    },

    listPrompts(owner: string, sessionId: string): PromptEntity[] | undefined {
      const session = findSession(owner, sessionId)
      return session && [...session.prompts.values()].map(prompt => prompt.entity)
    },

    getPrompt: (owner: string, sessionId: string, id: string): PromptEntity | undefined =>
      findPrompt(owner, sessionId, id)?.entity,

    createEvaluation(
      owner: string,
      sessionId: string,
      promptId: string,
    ): EvaluationEntity | undefined {
      const session = findSession(owner, sessionId)
      const prompt = findPrompt(owner, sessionId, promptId)
      return session && prompt && evaluate(session, prompt)
    },

    countEvaluations: (owner: string, sessionId: string, promptId: string): number =>
      findPrompt(owner, sessionId, promptId)?.evaluations.size ?? 0,

    listEvaluations(
      owner: string,
      sessionId: string,
      promptId: string,
    ): EvaluationEntity[] | undefined {
      const prompt = findPrompt(owner, sessionId, promptId)
      return (
        prompt &&
        [...prompt.evaluations.values()]
          .filter(plan => isListedAt(plan, now(), habits))
          .map(plan => evaluationAt(plan, now()))
      )
    },

    getEvaluation(
      owner: string,
      sessionId: string,
      promptId: string,
      id: string,
    ): EvaluationEntity | undefined {
      const plan = findPrompt(owner, sessionId, promptId)?.evaluations.get(id.toLowerCase())
      return plan && evaluationAt(plan, now())
    },

    /** The scripts that speak for a path: its prompt's, or those of its session's prompts. */
    scripts(owner: string, sessionId: string, promptId?: string): Script[] {
      const known = findSession(owner, sessionId)?.prompts ?? new Map<string, PromptState>()
      if (promptId === undefined) return [...known.values()].map(({ script }) => script)
      const prompt = known.get(promptId.toLowerCase())
      return prompt ? [prompt.script] : []
    },
  }
}

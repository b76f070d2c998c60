import type { Clock } from '../lib/clock.ts'
import type { GraphClient } from '../graph/client.ts'
import type { Evaluation } from '../graph/resources.ts'
import type { Observer } from '../telemetry/observer.ts'
import { createMemory, type Memory, type PromptText } from './cache.ts'
import type { SkillMode } from './prompt.ts'

/** What the actions work with. */
export interface Copilot {
  readonly graph: GraphClient
  readonly memory: Memory
  readonly clock: Clock
  readonly skillMode: SkillMode
  readonly observer: Observer
}

/** A prompt's run, as an action tells it. */
export interface Run {
  readonly sessionId: string
  readonly promptId: string
  readonly prompt: PromptText
  readonly evaluation: Evaluation
}

export const createCopilot = (parts: Omit<Copilot, 'memory'>): Copilot => ({
  ...parts,
  memory: createMemory(parts.graph, parts.clock),
})

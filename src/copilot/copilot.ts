import type { Clock } from '../clock.ts'
import type { GraphClient } from '../graph/client.ts'
import type { Evaluation } from '../graph/schemas.ts'
import type { Observer } from '../observability/observer.ts'
import { createMemory, type Memory, type PromptText } from './memory.ts'
import type { SkillMode } from './prompt-text.ts'

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

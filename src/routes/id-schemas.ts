import { z } from 'zod'

/** An id of Graph: 36 characters with hyphens, in either case (docs/api.md#1-routes). */
export const guid = z.guid('must be a GUID: 36 characters with hyphens')

export const sessionId = guid.meta({
  title: 'Session Id',
  description: 'Id of the Security Copilot session.',
})

export const promptId = guid.meta({
  title: 'Prompt Id',
  description: 'Id of the prompt in its session.',
})

export const evaluationId = guid.meta({
  title: 'Evaluation Id',
  description: 'Id of the evaluation, one run of the prompt.',
})

/** The ids in a prompt's path. */
export const promptParams = z.object({ sessionId, promptId })

/** The ids in an evaluation's path, in the order in which the reference page lists them. */
export const evaluationParams = z.object({ evaluationId, sessionId, promptId })

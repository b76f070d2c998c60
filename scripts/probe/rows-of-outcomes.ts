import { assumedOutcomes, type Attempt, type Outcome } from '../../src/sandbox/graph/attempts.ts'
import { showOutcome } from './rows-of-calls.ts'
import type { RowRule } from './row-rule.ts'

const notFound = 'The service answers 404 by the status; any other status would be a 502 or 403.'

const texts: Readonly<Record<Attempt, readonly [question: string, means: string]>> = {
  workspaceByDefault: ['Is "default" a workspace?', 'WORKSPACE_ID is "default" unless it is set.'],
  workspaceById: ['Can a workspace be named by its id?', 'WORKSPACE_ID may be an id.'],
  workspaceByName: ['Can a workspace be named by its name?', 'WORKSPACE_ID must not be a name.'],
  unknownWorkspace: ['What does an unknown workspace give?', notFound],
  unknownSession: ['What does an unknown session give?', notFound],
  unknownPrompt: ['What does an unknown prompt give?', notFound],
  unknownEvaluation: ['What does an unknown evaluation give?', notFound],
  namelessSession: [
    'Can a session be created without displayName?',
    'The service always sends one.',
  ],
  blankContent: ['Is blank content accepted?', 'The service refuses it itself.'],
  longContent: ['Are 100,000 characters accepted?', 'So many the service lets through.'],
  overlongContent: ['Are 1,000,000 characters accepted?', 'The service refuses them itself.'],
  skillPrompt: [
    'Are prompts of type skill accepted?',
    'Direct skills could be sent as such, not as text with a slash.',
  ],
  secondEvaluation: [
    'Can a prompt be evaluated twice?',
    'A result of capacityExceeded could be tried again in the same prompt.',
  ],
}

/** How what the reference pages do not tell of ended. */
export const outcomeRows: readonly RowRule[] = Object.entries(texts).map(
  ([name, [question, means]]): RowRule => {
    const attempt = name as Attempt
    const assumed: Outcome = assumedOutcomes[attempt]
    return {
      key: `outcome.${attempt}`,
      question,
      assumed: showOutcome(assumed),
      means,
      setting: `outcomes.${attempt}`,
      see({ outcomes }) {
        const outcome = outcomes[attempt]
        return (
          outcome && {
            seen: showOutcome(outcome),
            differs: outcome.status !== assumed.status || outcome.code !== assumed.code,
          }
        )
      },
    }
  },
)

import { z } from 'zod'
import { boundedObject, required } from './optional-values.ts'
import {
  checkPrompt,
  content,
  sessionId,
  skillInputs,
  skillName,
  skillsets,
} from './prompt-keys.ts'

// What callers send about one prompt; these names live here and nowhere deeper.

/** The body of Submit. Unknown keys are refused. */
export const submitPrompt = boundedObject(
  {
    PromptContent: content,
    SessionId: sessionId,
    Skillsets: skillsets,
    SkillName: skillName,
    SkillInputs: skillInputs,
  },
  'a JSON object',
).superRefine(checkPrompt)

/** The query of Fetch answer; what a connector runtime adds is ignored. */
export const answerQuery = z.object({
  as: z.enum(['html', 'text', 'json'], required('html, text or json')).meta({
    title: 'Format',
    description:
      'The form of the answer: html for mail and chat, text without markup, or json for the JSON that the answer holds.',
    'x-ms-visibility': 'important',
  }),
})

export type SubmitPrompt = z.output<typeof submitPrompt>

import { z } from 'zod'
import { operationFacts } from './result-schemas.ts'

// The responses of Run promptbook and of the lists behind the designers' pickers. No root has a
// title, as in result-schemas.ts. Public workflows parse the first with these very names.

const text = (title: string, description: string) => z.string().meta({ title, description })

/** One step of a promptbook run, without null; the content's key has a small e here. */
export const promptbookStep = z
  .strictObject({
    skillName: text('Skill Name', 'The skill that the prompt names; empty if there is none.'),
    promptContent: text('Prompt Content', 'The prompt as Security Copilot has it.'),
    evaluationResultType: text(
      'Evaluation Result Type',
      'Success, or why there is no answer; Unknown while there is no result.',
    ),
    evaluationResultContent: text(
      'Evaluation Result Content',
      'The answer, as plain text or Markdown; empty while there is none. It may contain mistakes.',
    ),
    skillSources: z
      .array(text('Skill Source', 'A source of the answer.'))
      .meta({ title: 'Skill Sources', description: 'Graph has none, so it is empty.' }),
  })
  .meta({ description: 'One step of a promptbook run.' })

/** The response of Run promptbook. */
export const promptbookResult = z
  .strictObject({
    sessionId: text('Session Id', 'Id of the Security Copilot session.'),
    promptId: text('Prompt Id', 'Id of the first prompt, for the promptbook evaluation status.'),
    promptbookState: text(
      'Promptbook State',
      'Running, Completed, Failed when a step ended without success, or Cancelled.',
    ),
    evaluationResults: z
      .array(promptbookStep)
      .meta({ title: 'Evaluation Results', description: 'The steps that began, in their order.' }),
    errors: z
      .array(text('Error', 'Why the run failed.'))
      .meta({ title: 'Errors', description: 'Why the run failed; empty unless it did.' }),
  })
  .meta({ description: 'A promptbook run: its state, and the answer of each step that began.' })

/** The status of a promptbook run as a long-running operation. */
export const promptbookOperation = z
  .strictObject({
    id: text('Operation Id', 'Id of the promptbook run.'),
    ...operationFacts,
    result: promptbookResult
      .optional()
      .meta({ title: 'Result', description: 'The promptbook result, once the run ended.' }),
  })
  .meta({ description: 'The promptbook run as a long-running operation.' })

const plugin = z
  .strictObject({
    name: text('Name', 'Name of the plugin, as Plugins of Submit takes it.'),
    displayName: text('Display Name', 'What people call it.'),
    description: text('Description', 'What it does.'),
  })
  .meta({ description: 'A plugin that is enabled.' })

/** The plugins that are enabled in the workspace. */
export const pluginList = z
  .strictObject({
    value: z.array(plugin).meta({ title: 'Plugins', description: 'The enabled plugins.' }),
  })
  .meta({ description: 'The plugins that are enabled in the workspace.' })

const promptbookInput = z
  .strictObject({
    name: text('Name', 'Stands in angle brackets in the prompts.'),
    description: text('Description', 'What to give.'),
    required: z.boolean().meta({ title: 'Required', description: 'Whether it must be given.' }),
  })
  .meta({ description: 'A value that the promptbook takes.' })

const promptbook = z
  .strictObject({
    id: text('Promptbook Id', 'Id of the promptbook.'),
    name: text('Name', 'Name of the promptbook.'),
    description: text('Description', 'What it is for.'),
    inputs: z
      .array(promptbookInput)
      .meta({ title: 'Inputs', description: 'The values that it takes.' }),
  })
  .meta({ description: 'A promptbook of this service.' })

/** The promptbooks of this service. */
export const promptbookList = z
  .strictObject({
    value: z.array(promptbook).meta({ title: 'Promptbooks', description: 'The promptbooks.' }),
  })
  .meta({ description: 'The promptbooks of this service.' })

/** The JSON schema of a promptbook's inputs: of any form, since each promptbook has its own. */
export const promptbookInputSchema = z
  .looseObject({})
  .meta({ description: 'The JSON schema of the inputs of a promptbook.' })

export type PromptbookResult = z.output<typeof promptbookResult>
export type PromptbookOperation = z.output<typeof promptbookOperation>
export type PluginList = z.output<typeof pluginList>
export type PromptbookList = z.output<typeof promptbookList>

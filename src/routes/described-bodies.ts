import type { Examples } from '../openapi/route-description.ts'
import type { Answer, EvaluationResult, PromptbookResult } from './schemas.ts'

// The bodies that the documents show. The texts are made up.

const ids = {
  sessionId: '3f1c1e0a-5b0e-4f6b-9a53-0d7c2f6a1b01',
  promptId: '8a2d4b6c-1e3f-4a5b-8c7d-9e0f1a2b3c02',
  evaluationId: 'c4e6a8b0-2d4f-4b6d-8f0a-1c3e5a7b9d03',
}

const done: EvaluationResult = {
  ...ids,
  skillName: null,
  promptContent: 'Which users signed in from two countries today?',
  evaluationState: 'Completed',
  evaluationResultType: 'Success',
  EvaluationResultContent: 'Two users did: **alice@contoso.example** and **bob@contoso.example**.',
  nextPromptSuggestions: [],
}

const begun: EvaluationResult = {
  ...done,
  evaluationState: 'Running',
  evaluationResultType: 'Unknown',
  EvaluationResultContent: null,
}

export const endedExamples: Examples = {
  Success: { summary: 'It answered', value: done },
  Error: {
    summary: 'It completed without success',
    value: { ...done, evaluationResultType: 'Error', EvaluationResultContent: null },
  },
}

export const runningExamples: Examples = {
  Running: { summary: 'It runs on', value: begun },
}

export const submitExamples: Examples = {
  Prompt: {
    summary: 'A prompt in a new session',
    value: { PromptContent: done.promptContent },
  },
  DirectSkill: {
    summary: 'A direct skill, if the plugin is enabled',
    value: {
      PromptContent: 'Summarize the incident',
      Skillsets: ['Entra'],
      SkillName: 'GetIncidentSummary',
      SkillInputs: { incidentId: 4711 },
    },
  },
}

export const answerExamples: Examples = {
  Html: {
    summary: 'As HTML',
    value: {
      ...ids,
      evaluationState: 'Completed',
      evaluationResultType: 'Success',
      format: 'html',
      content: '<p>Two users did.</p>',
    } satisfies Answer,
  },
}

const operation = {
  id: ids.evaluationId,
  createdDateTime: '2026-01-05T09:00:00.000Z',
  lastActionDateTime: '2026-01-05T09:00:17.000Z',
}

export const operationExamples: Examples = {
  Running: { summary: 'It runs on', value: { ...operation, status: 'Running' } },
  Succeeded: {
    summary: 'It answered',
    value: { ...operation, status: 'Succeeded', result: done },
  },
}

export const promptbookStatusExamples: Examples = {
  Completed: {
    summary: 'Every prompt ended',
    value: {
      sessionId: ids.sessionId,
      promptbookState: 'Completed',
      evaluationResults: [
        {
          skillName: null,
          promptContent: done.promptContent,
          evaluationResultType: 'Success',
          EvaluationResultContent: done.EvaluationResultContent,
        },
      ],
    },
  },
}

export const runPromptbookExamples: Examples = {
  Promptbook: {
    summary: 'A promptbook of this service',
    value: { PromptbookId: 'Incident investigation', PromptbookInputs: { IncidentId: '4711' } },
  },
  Prompts: {
    summary: 'Prompts of your own',
    value: { Prompts: ['Summarize incident 4711', 'Write a report of it for executives'] },
  },
}

const run: PromptbookResult = {
  sessionId: ids.sessionId,
  promptId: ids.promptId,
  promptbookState: 'Completed',
  evaluationResults: [
    {
      skillName: '',
      promptContent: 'Summarize incident 4711',
      evaluationResultType: 'Success',
      evaluationResultContent: 'A user opened an attachment.',
      skillSources: [],
    },
  ],
  errors: [],
}

export const promptbookExamples: Examples = {
  Completed: { summary: 'Every step answered', value: run },
}

export const promptbookRunningExamples: Examples = {
  Running: {
    summary: 'It runs on',
    value: { ...run, promptbookState: 'Running', evaluationResults: [] },
  },
}

export const promptbookOperationExamples: Examples = {
  Running: { summary: 'It runs on', value: { ...operation, status: 'Running' } },
}

export const connectionExamples: Examples = {
  User: {
    summary: 'A user',
    value: {
      type: 'Oauth',
      tenantId: '11111111-1111-4111-8111-111111111111',
      identityId: '22222222-2222-4222-8222-222222222222',
      workspaceId: 'default',
      plugins: ['Entra', 'Defender'],
      allowance: { limit: 600, remaining: 599, resetSeconds: 60 },
    },
  },
}

export const pluginExamples: Examples = {
  Plugins: {
    summary: 'One plugin',
    value: {
      value: [
        { name: 'Entra', displayName: 'Microsoft Entra', description: 'Users and sign-ins.' },
      ],
    },
  },
}

export const promptbookListExamples: Examples = {
  Promptbooks: {
    summary: 'One promptbook',
    value: {
      value: [
        {
          id: '3f0d8a52-6c1e-4b7f-9d34-5a2e71c8b960',
          name: 'Incident investigation',
          description: 'Looks into an incident.',
          inputs: [{ name: 'IncidentId', description: 'Number of the incident.', required: true }],
        },
      ],
    },
  },
}

export const inputSchemaExamples: Examples = {
  Inputs: {
    summary: 'One input',
    value: {
      type: 'object',
      required: ['IncidentId'],
      properties: {
        IncidentId: { type: 'string', title: 'IncidentId', 'x-ms-summary': 'IncidentId' },
      },
    },
  },
}

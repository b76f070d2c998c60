import { objects, operations, parameters, properties } from './definition-parts.ts'
import { each, whole, type Json, type Rule } from './rule.ts'

/** Titles of the actions on the reference page of Microsoft's own connector. */
const actionTitles = new Map([
  ['SubmitPrompt', 'Submit a Security Copilot prompt'],
  ['FetchPromptStatus', 'Fetch prompt status'],
  ['FetchPromptbookStatus', 'Fetch promptbookprompt evaluation status'],
])

/** Titles of keys there; a key of an input and one of a result differ in their first letter. */
const keyTitles = new Map([
  ['PromptContent', 'Prompt Content'],
  ['SessionId', 'SessionId'],
  ['SkillName', 'Direct Skill Name'],
  ['sessionId', 'Session Id'],
  ['promptId', 'Prompt Id'],
  ['evaluationId', 'Evaluation Id'],
])

const nameOf = (where: string): string => /\w+$/.exec(where)?.[0] ?? where

/** Every parameter and property, by its name. */
const named = (definition: Json): [string, Json][] => [
  ...parameters(definition),
  ...properties(definition),
]

/** The definitions that a response has for its root, or an array of it for its items. */
const roots = (definition: Json): [string, Json][] => Object.entries(definition.definitions)

const warns = /AI-generated content may contain mistakes.*\bcheck\b.*\baccuracy\b/s

/** Every extension that names an operation whose response fills a picker or a form. */
const pickers = (definition: Json): [string, Json][] =>
  objects(definition).filter(([where]) => /\.x-ms-dynamic-\w+$/.test(where))

const isInternalGet =
  ({ paths }: Json) =>
  ({ operationId }: Json): boolean =>
    Object.values(paths).some(
      ({ get }: Json) =>
        get?.operationId === operationId &&
        get['x-ms-visibility'] === 'internal' &&
        !get.parameters.some((one: Json) => one.in === 'body'),
    )

/** What makers know from the reference page of Microsoft's own connector, and its designers. */
export const referenceRules: readonly Rule[] = [
  each(
    'an action has its title of the reference page',
    operations,
    ({ operationId, summary }) => (actionTitles.get(operationId) ?? summary) === summary,
  ),
  {
    name: 'a key has its title of the reference page',
    check: definition =>
      named(definition)
        .filter(([where, one]) => {
          const title = keyTitles.get(nameOf(where))
          return title !== undefined && one['x-ms-summary'] !== title
        })
        .map(([where]) => where),
  },
  {
    name: 'an id is a plain string',
    check: definition =>
      named(definition)
        .filter(
          ([where, one]) =>
            /(?:session|prompt|evaluation)Id$/i.test(where) &&
            (one.type !== 'string' || 'format' in one || 'pattern' in one),
        )
        .map(([where]) => where),
  },
  each(
    'Fetch prompt status lists evaluationId, sessionId and promptId',
    operations,
    operation =>
      operation.operationId !== 'FetchPromptStatus' ||
      operation.parameters.map(({ name }: Json) => name).join() ===
        'evaluationId,sessionId,promptId',
  ),
  each(
    'the root of a response has no title: designers put it before each name in it',
    roots,
    schema => !('title' in schema) && !('x-ms-summary' in schema),
  ),
  whole('the connector says that answers must be checked', ({ info }) =>
    warns.test(info.description),
  ),
  each(
    'what runs prompts says that answers must be checked',
    operations,
    ({ operationId, description }) =>
      !['SubmitPrompt', 'RunPromptbook'].includes(operationId) || warns.test(description),
  ),
  each(
    'a header has no value by default: a fixed key makes the second prompt an error',
    parameters,
    parameter => parameter.in !== 'header' || !('default' in parameter),
  ),
  {
    name: 'a picker is filled by an internal GET of this definition',
    check: definition =>
      pickers(definition)
        .filter(([, picker]) => !isInternalGet(definition)(picker))
        .map(([where]) => where),
  },
]

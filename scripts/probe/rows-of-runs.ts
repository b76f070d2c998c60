import { hasOtherStates, isDisturbed } from '../../src/sandbox/graph/facts.ts'
import type { RowRule, Sight } from './row-rule.ts'

const seconds = (ms: number): string => `${ms / 1000} s`
const yesNo = (is: boolean): string => (is ? 'yes' : 'no')

/** A yes or no where no is assumed. */
const no = (is: boolean | undefined): Sight =>
  is === undefined ? undefined : { seen: yesNo(is), differs: is }

const usualRunMs = 16_500

/** What evaluations showed. */
export const runRows: readonly RowRule[] = [
  {
    key: 'listing.form',
    question: 'Is list evaluations a collection?',
    assumed: 'a collection',
    means: 'Both are read. Of a single entity only one evaluation of a prompt is ever seen.',
    setting: 'bareEvaluation',
    see: ({ listing }) =>
      listing?.form && {
        seen: listing.form === 'entity' ? 'a single entity' : 'a collection',
        differs: listing.form === 'entity',
      },
  },
  {
    key: 'listing.delay',
    question: 'How late is a new evaluation listed?',
    assumed: 'at once',
    means:
      'An evaluation whose answer was lost is looked for in the list: later than it waits, it runs twice.',
    setting: 'listedAfterSeconds',
    see: ({ listing }) => {
      if (!listing) return undefined
      const { listedAtMs } = listing
      if (listedAtMs === undefined) return { seen: 'not within 7.5 s', differs: true }
      return listedAtMs === 0
        ? { seen: 'at once', differs: false }
        : { seen: `within ${seconds(listedAtMs)}`, differs: true }
    },
  },
  {
    key: 'evaluation.states',
    question: 'Which states does an evaluation go through?',
    assumed: 'created, running, completed',
    means: 'The service waits until completed or cancelled; in another state a result is pending.',
    setting: 'states',
    see: ({ evaluation }) =>
      evaluation && {
        seen:
          evaluation.states
            .map(({ state, afterMs }) => `${state} (${seconds(afterMs)})`)
            .join(', ') + (evaluation.ended ? '' : ', and no end within 180 s'),
        differs: hasOtherStates(evaluation),
      },
  },
  {
    key: 'evaluation.result',
    question: 'What is the type of the result?',
    assumed: 'success',
    means: 'Other types are passed on as they are.',
    setting: 'resultType',
    see: ({ evaluation }) =>
      evaluation?.resultType === undefined
        ? undefined
        : { seen: evaluation.resultType, differs: evaluation.resultType !== 'success' },
  },
  {
    key: 'evaluation.duration',
    question: 'How long does a small evaluation take?',
    assumed: '16.5 s, as in the sample (within a fifth)',
    means: 'A held Submit is answered within its wait, else by 202.',
    setting: 'evaluationSeconds',
    see: ({ evaluation }) =>
      evaluation?.runMs === undefined
        ? undefined
        : {
            seen: seconds(evaluation.runMs),
            differs: Math.abs(evaluation.runMs - usualRunMs) > usualRunMs / 5,
          },
  },
  {
    key: 'unrun.itself',
    question: 'Does a prompt run without an evaluation being created?',
    assumed: 'no',
    means: 'Every prompt would run twice.',
    setting: 'runsUnasked',
    see: ({ unrun }) => no(unrun?.ranUnasked),
  },
  {
    key: 'unrun.next',
    question: 'Does a prompt that never ran disturb the next one?',
    assumed: 'no',
    means: 'A creation that failed half-way would spoil its session.',
    setting: 'afterUnrun',
    see: facts => (facts.unrun?.next && facts.evaluation ? no(isDisturbed(facts)) : undefined),
  },
  {
    key: 'skillName.plain',
    question: 'Is skillName filled after a plain prompt ran?',
    assumed: 'no',
    means: 'The result shows it as it comes.',
    setting: 'skillNames.plain',
    see: ({ skillNames }) => no(skillNames?.plain),
  },
  {
    key: 'skillName.slash',
    question: 'Is skillName filled after a prompt with a slash prefix ran?',
    assumed: 'no',
    means: 'If it is, the prefix reaches a skill; if not, nothing is proved.',
    setting: 'skillNames.slash',
    see: ({ skillNames }) => no(skillNames?.slash),
  },
]

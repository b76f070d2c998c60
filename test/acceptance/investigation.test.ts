import { createHash } from 'node:crypto'
import t from 'tap'
import type { EvaluationResult } from '../../src/routes/schemas.ts'
import {
  azurePoller,
  followLocation,
  loopOnStatus,
  waitInOneRequest,
  type Engine,
} from '../helpers/engine.ts'
import { freePort } from '../helpers/free-port.ts'
import { world } from '../helpers/world.ts'

/** What a flow author writes into a step; earlier answers are pasted in as the designers do. */
type Step = (answers: readonly string[]) => {
  PromptContent: string
  SkillName?: string
  SkillInputs?: object
}

const alert = {
  id: 'da637578995287051192_756343937',
  title: 'Suspicious "PowerShell" command line',
  severity: 'High',
  entities: [
    { host: 'FIN-LT-042', user: 'contoso\\j.doe' },
    { ip: '203.0.113.77', ports: [443, 8443] },
  ],
}
const logLines = Array.from(
  { length: 80 },
  (_, line) =>
    `2026-01-05T08:${String(line % 60).padStart(2, '0')}:00Z\tFIN-LT-042\tpowershell.exe -enc ${'QQBBAEE='.repeat(5)}`,
).join('\r\n')

/**
 * An investigation in nine steps: the first opens the session, two branches follow side by side,
 * the last sums up.
 */
const opening: Step = () => ({
  PromptContent: 'Summarise this alert for an analyst.\n' + JSON.stringify(alert, null, 2),
})
const branches: Step[][] = [
  [
    () => ({
      PromptContent: 'Which users signed in to FIN-LT-042 in the last 24 hours, and from where?',
      SkillName: 'GetSignIns',
    }),
    ([last]) => ({ PromptContent: `Is any of these sign-ins unusual?\n"""${last}"""` }),
    () => ({
      PromptContent: 'Get the device’s compliance state',
      SkillName: 'GetIntuneDevice',
      SkillInputs: { deviceName: 'FIN-LT-042', includeSoftware: true, top: 5 },
    }),
    () => ({
      PromptContent: `Explain what these log lines do, line by line:\r\n${logLines}`.slice(0, 7000),
    }),
  ],
  [
    () => ({
      PromptContent: '¿Qué reputación tiene 203.0.113.77? 🛰️🔍 “quoted”',
      SkillName: 'GetReputation',
    }),
    () => ({
      PromptContent:
        '<p>Rewrite as <b>KQL</b> &amp; explain:</p>\n```kql\nSigninLogs | where UserPrincipalName == "j.doe@contoso.example"\n```',
    }),
    ([last]) => ({
      PromptContent: `Answer only with JSON like {"verdict": "…", "confidence": 0.0} for:\n${JSON.stringify({ last })}`,
      SkillName: 'AskGpt',
    }),
  ],
]
const closing: Step = answers => ({
  PromptContent: `Write the incident report in Markdown:\n# Findings\n${answers.map(answer => `- ${answer}`).join('\n')}`,
  SkillName: 'SummarizeData',
})

const engines: Record<string, Engine> = {
  'by following Location': followLocation,
  'by looping on Fetch prompt status': loopOnStatus,
  'with Prefer: wait': waitInOneRequest,
  'through Azure’s poller on Operation-Location': azurePoller,
}

for (const [how, engine] of Object.entries(engines)) {
  t.test(`an investigation of nine steps gets every step’s own answer, ${how}`, async t => {
    const w = await world(t, { port: await freePort(), env: { SUBMIT_WAIT_SECONDS: '5' } })
    const results: EvaluationResult[] = []

    async function play(
      step: Step,
      answers: readonly string[],
      SessionId?: string,
    ): Promise<EvaluationResult> {
      const { status, body } = await engine(
        w.url,
        { ...step(answers), SessionId: SessionId ?? null },
        w.clock,
      )
      t.equal(status, 200)
      results.push(body)
      return body
    }
    async function playBranch(steps: readonly Step[], first: EvaluationResult): Promise<string[]> {
      const answers = [first.EvaluationResultContent ?? '']
      for (const step of steps) {
        const { EvaluationResultContent } = await play(step, answers.slice(-1), first.sessionId)
        answers.push(EvaluationResultContent ?? '')
      }
      return answers
    }

    const first = await play(opening, [])
    const answers = await Promise.all(branches.map(steps => playBranch(steps, first)))
    await play(closing, answers.flat(), first.sessionId)

    t.equal(results.length, 9)
    t.same(new Set(results.map(result => result.sessionId)), new Set([first.sessionId]))
    for (const {
      promptContent,
      evaluationState,
      evaluationResultType,
      EvaluationResultContent,
    } of results) {
      t.same([evaluationState, evaluationResultType], ['Completed', 'Success'])
      const fingerprint = createHash('sha256').update(promptContent).digest('hex').slice(0, 12)
      t.match(EvaluationResultContent, new RegExp(`fingerprint ${fingerprint}`))
    }
    t.equal(new Set(results.map(result => result.EvaluationResultContent)).size, 9)
    t.equal(results.filter(result => result.skillName !== null).length, 5)

    // Graph holds each prompt to the letter, and ran each once.
    const prompts = w.model.listPrompts('alice', first.sessionId) ?? []
    t.same(
      new Set(prompts.map(prompt => prompt.content)),
      new Set(results.map(result => result.promptContent)),
    )
    t.ok(prompts.some(prompt => prompt.content.length === 7000))
    t.equal(w.calls.filter(call => call === 'createEvaluation').length, 9)
    t.equal(w.calls.filter(call => call === 'createSession').length, 1)

    const { body } = await w.get(
      `/sessions/${first.sessionId}/prompts/${first.promptId}/promptbook`,
    )
    t.equal(body.promptbookState, 'Completed')
    t.equal(body.evaluationResults.length, 9)
  })
}

import type { PromptbookRequest } from '../copilot/promptbook-begin.ts'
import { ConnectorError, type ErrorDetail } from '../errors.ts'
import { invalidRequest, type ZodPlugin } from '../plugins/validation.ts'
import { findPromptbook, sameNameKey, type Promptbook } from '../promptbooks/book.ts'
import { fill, type FillProblem } from '../promptbooks/placeholders.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { hold } from './hold.ts'
import { runPromptbookDescription } from './promptbook-descriptions.ts'
import { sendRunning, toPromptbookResult } from './promptbook-result.ts'
import { inWireNames, promptbookResult, runPromptbook, type RunPromptbook } from './schemas.ts'
import type { SubmitRoutes } from './submit-prompt.ts'

export interface RunPromptbookRoutes extends SubmitRoutes {
  readonly promptbooks: readonly Promptbook[]
}

/**
 * The promptbook of an id or name.
 * @throws ConnectorError `PromptbookNotFound`
 */
export function requirePromptbook(
  promptbooks: readonly Promptbook[],
  idOrName: string,
): Promptbook {
  const book = findPromptbook(promptbooks, idOrName)
  if (book) return book
  throw new ConnectorError(
    'PromptbookNotFound',
    'Cannot find the promptbook: this service has none of this id or name; ' +
      'GET /promptbooks lists those that it has',
    { target: 'PromptbookId' },
  )
}

/** What the body asks for, with its placeholders. */
function bookOf(
  promptbooks: readonly Promptbook[],
  { PromptbookId: id, Prompts: prompts = [] }: RunPromptbook,
): Pick<Promptbook, 'inputs' | 'prompts'> {
  if (id !== undefined) return requirePromptbook(promptbooks, id)
  return {
    prompts: prompts.map(({ PromptContent: content, SkillName, SkillInputs }) => ({
      content,
      ...(SkillName !== undefined && { skillName: SkillName }),
      ...(SkillInputs && { skillInputs: SkillInputs }),
    })),
  }
}

/** Where in the body, in the wire's names. */
function targetOf({ input, prompt }: FillProblem): string {
  if (input !== undefined) return `PromptbookInputs.${input.slice(0, 64)}`
  return prompt === undefined ? 'PromptbookInputs' : `Prompts[${prompt}]`
}

const toDetail = (problem: FillProblem): ErrorDetail => {
  const target = targetOf(problem)
  return { code: problem.code, message: `${target} ${problem.message}`, target }
}

const sorted = (values: object = {}): [string, unknown][] =>
  Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1))

/** The same for bodies with the same values, however they are written. Pure. */
const spelled = (body: RunPromptbook): string =>
  JSON.stringify([
    body.PromptbookId === undefined ? null : sameNameKey(body.PromptbookId),
    body.Prompts?.map(({ PromptContent, SkillName, SkillInputs }) => [
      PromptContent,
      SkillName,
      sorted(SkillInputs),
    ]),
    sorted(body.PromptbookInputs).map(([name, value]) => [sameNameKey(name), String(value)]),
    body.SessionId?.toLowerCase(),
    body.Skillsets,
  ])

/** @throws ConnectorError `PromptbookNotFound`, `InvalidRequest` */
function toRequest(
  promptbooks: readonly Promptbook[],
  body: RunPromptbook,
): Omit<PromptbookRequest, 'idempotencyKey'> {
  const { prompts, problems } = fill(bookOf(promptbooks, body), body.PromptbookInputs)
  if (problems) throw invalidRequest(problems.map(toDetail))
  return {
    prompts,
    asked: spelled(body),
    sessionId: body.SessionId,
    plugins: body.Skillsets,
  }
}

/** `POST /run-promptbook`: Run a Security Copilot promptbook. */
export const runPromptbookRoute: ZodPlugin<RunPromptbookRoutes> = async (
  app,
  { copilot, promptbooks, submitWaitSeconds, ...wire },
) => {
  app.post(
    '/run-promptbook',
    {
      config: { errorsAtTop: true },
      schema: {
        operation: runPromptbookDescription,
        body: runPromptbook,
        response: { 200: promptbookResult, 202: promptbookResult },
      },
    },
    async (request, reply) => {
      const { headers, body } = request
      const asked = {
        ...toRequest(promptbooks, body),
        idempotencyKey: readIdempotencyKey(headers),
      }
      const report = await hold(request, reply, submitWaitSeconds, patience =>
        copilot.runPromptbook(request.graphContext, asked, patience),
      ).catch((error: unknown) => {
        throw inWireNames(error)
      })
      // An answer that cannot be read now is read by the next poll: an error here would make an
      // engine run the promptbook again.
      return report.status === 'Running' || report.incomplete
        ? sendRunning(reply, report, wire)
        : toPromptbookResult(report)
    },
  )
}

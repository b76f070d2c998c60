import { z } from 'zod'
import { factsSchema, type Facts } from '../../src/sandbox/graph/facts-schema.ts'
import { adviceOf, advices } from './doctor.ts'
import { verdicts } from './row-rule.ts'
import { rowsOf } from './rows.ts'

/** What is written: facts, and what follows from them. It has no place for a text of a server. */
export const reportSchema = z.strictObject({
  format: z.literal('security-copilot-probe/1'),
  date: z.iso.date(),
  evaluations: z.int().min(0).max(4),
  facts: factsSchema,
  rows: z.array(
    z.strictObject({ key: z.string().regex(/^[a-zA-Z]+\.[a-zA-Z]+$/), so: z.enum(verdicts) }),
  ),
  advice: z.array(z.enum(advices)),
})

export type Report = z.output<typeof reportSchema>

/** @throws ZodError when something would get into it that has no place in it. */
export const createReport = (facts: Facts, date: string, evaluations: number): Report =>
  reportSchema.parse({
    format: 'security-copilot-probe/1',
    date,
    evaluations,
    facts,
    rows: rowsOf(facts).map(({ key, so }) => ({ key, so })),
    advice: adviceOf(facts),
  })

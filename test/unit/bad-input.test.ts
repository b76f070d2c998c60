import fc from 'fast-check'
import t from 'tap'
import { submitPrompt } from '../../src/routes/schemas.ts'
import { world, type Reply } from '../helpers/world.ts'
import { lawRuns } from '../helpers/laws.ts'

/** What every refusal of a request has: a code, and a reason for each thing that is wrong. */
const isUsefulRefusal = ({ status, headers, body }: Reply): boolean =>
  status === 400 &&
  headers.get('x-ms-error-code') === 'InvalidRequest' &&
  body.error.message.length > 30 &&
  body.error.details.length > 0 &&
  body.error.details.every((detail: { code: string; message: string; target: string }) =>
    [detail.code, detail.message, detail.target].every(text => typeof text === 'string'),
  )

const guid = '11111111-1111-4111-8111-111111111111'

t.test('POST /process-prompt refuses', async t => {
  const { post, calls } = await world(t)
  const ok = { PromptContent: 'Hello' }

  const cases: [string, unknown, string, string][] = [
    ['an array', [], 'body', 'body must be a JSON object'],
    ['null', null, 'body', 'body must be a JSON object'],
    ['a string', '"Hello"', 'body', 'body must be a JSON object'],
    ['malformed JSON', '{"PromptContent": "Hel', 'body', 'body is not well-formed JSON'],
    ['an empty body', '', 'body', 'body is not well-formed JSON'],
    [
      'a poisoned prototype',
      '{"PromptContent":"x","__proto__":{}}',
      'body',
      'body is not well-formed JSON',
    ],
    ['no PromptContent', {}, 'PromptContent', 'PromptContent is required'],
    [
      'null PromptContent',
      { PromptContent: null },
      'PromptContent',
      'PromptContent must be a string',
    ],
    [
      'a number as PromptContent',
      { PromptContent: 5 },
      'PromptContent',
      'PromptContent must be a string',
    ],
    [
      'an empty PromptContent',
      { PromptContent: '' },
      'PromptContent',
      'PromptContent must not be blank',
    ],
    [
      'a blank PromptContent',
      { PromptContent: ' \n\t\u3000' },
      'PromptContent',
      'PromptContent must not be blank',
    ],
    [
      'a PromptContent over 100,000 characters',
      { PromptContent: 'x'.repeat(100_001) },
      'PromptContent',
      'PromptContent must be at most 100,000 characters',
    ],
    [
      'a SessionId that is no GUID',
      { ...ok, SessionId: 'abc' },
      'SessionId',
      'SessionId must be a GUID: 36 characters with hyphens',
    ],
    [
      'a SessionId without hyphens',
      { ...ok, SessionId: guid.replaceAll('-', '') },
      'SessionId',
      'SessionId must be a GUID: 36 characters with hyphens',
    ],
    [
      'Skillsets that are no array',
      { ...ok, Skillsets: 'Entra' },
      'Skillsets',
      'Skillsets must be an array of strings',
    ],
    [
      'Skillsets that are no strings',
      { ...ok, Skillsets: ['Entra', 5] },
      'Skillsets[1]',
      'Skillsets[1] must be the name of a plugin',
    ],
    [
      'more than 50 Skillsets',
      { ...ok, Skillsets: Array.from({ length: 51 }, () => 'Entra') },
      'Skillsets',
      'Skillsets must have at most 50 items',
    ],
    [
      'a SkillName with other characters',
      { ...ok, SkillName: 'Ask/Gpt' },
      'SkillName',
      'SkillName must be 1 to 128 letters, digits, "_", "." or "-", with single blanks inside',
    ],
    [
      'a SkillName over 128 characters',
      { ...ok, SkillName: 'x'.repeat(129) },
      'SkillName',
      'SkillName must be 1 to 128 letters, digits, "_", "." or "-"',
    ],
    [
      'SkillInputs alone',
      { ...ok, SkillInputs: { a: 1 } },
      'SkillInputs',
      'SkillInputs must come with SkillName',
    ],
    [
      'SkillInputs that are no object',
      { ...ok, SkillName: 'A', SkillInputs: [] },
      'SkillInputs',
      'SkillInputs must be an object',
    ],
    [
      'SkillInputs that are nested',
      { ...ok, SkillName: 'A', SkillInputs: { deep: { er: 1 } } },
      'SkillInputs.deep',
      'SkillInputs.deep must be a string, a number or a boolean',
    ],
    [
      'an unknown key',
      { ...ok, promptContent: 'x' },
      'promptContent',
      'promptContent is not a known key',
    ],
  ]
  for (const [what, body, target, message] of cases) {
    await t.test(what, async t => {
      const reply = await post('/process-prompt', body)
      t.ok(isUsefulRefusal(reply))
      t.match(reply.body.error.details, [{ target, message }])
      t.ok(reply.body.error.message.includes(message))
    })
  }

  await t.test('and names everything that is wrong at once', async t => {
    const { body } = await post('/process-prompt', { SessionId: 'x', Other: 1, Another: 2 })
    t.same(
      body.error.details.map((detail: { code: string; target: string }) => [
        detail.code,
        detail.target,
      ]),
      [
        ['Required', 'PromptContent'],
        ['InvalidValue', 'SessionId'],
        ['UnknownKey', 'Other'],
        ['UnknownKey', 'Another'],
      ],
    )
  })

  t.same(calls, [], 'and asks nothing of Graph')
})

t.test('POST /process-prompt accepts the longest prompt', async t => {
  const { start } = await world(t)
  const content = '"'.repeat(100_000)
  const reply = await start(content)
  t.equal(reply.status, 202)
  t.equal(reply.body.promptContent, content)
})

t.test('ids in paths must be GUIDs', async t => {
  const { get, calls } = await world(t)
  const paths: [string, string][] = [
    [`/sessions/x/prompts/${guid}/evaluations/${guid}`, 'sessionId'],
    [`/sessions/${guid}/prompts/${'x'.repeat(5000)}/evaluations/${guid}/result`, 'promptId'],
    [`/sessions/${guid}/prompts/${guid}/evaluations/${guid}x/operation`, 'evaluationId'],
    [`/sessions/${guid}/prompts/..%2f..%2fme/promptbook`, 'promptId'],
    [`/sessions/${guid.replace('1', '%C3%A9')}/prompts/${guid}/promptbook`, 'sessionId'],
  ]
  for (const [path, target] of paths) {
    const reply = await get(path)
    t.ok(isUsefulRefusal(reply), path.slice(0, 60))
    t.match(reply.body.error.details, [
      { target, message: `${target} must be a GUID: 36 characters with hyphens` },
    ])
  }
  t.same(calls, [])
})

t.test('no body yields a 5xx, and no bad one a call to Graph', async t => {
  const { post, calls } = await world(t, { env: { RATE_LIMIT_CALLS: '100000' } })
  const anyJson = fc.jsonValue().filter(value => !submitPrompt.safeParse(value).success)
  const key = fc.constantFrom(
    'PromptContent',
    'SessionId',
    'Skillsets',
    'SkillName',
    'SkillInputs',
    'Other',
  )
  const nearlyRight = fc
    .dictionary(key, fc.oneof(fc.jsonValue(), fc.constantFrom('Hello', null, '', [], {})))
    .filter(value => !submitPrompt.safeParse(value).success)
  const anyText = fc.string({ unit: 'binary' })

  const refused = async (body: unknown) => {
    const reply = await post('/process-prompt', body)
    return isUsefulRefusal(reply) && calls.length === 0
  }
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(anyJson, nearlyRight).map(value => JSON.stringify(value)),
      refused,
    ),
    {
      numRuns: lawRuns(0.25),
    },
  )
  await fc.assert(
    fc.asyncProperty(
      anyText.filter(text => {
        try {
          return !submitPrompt.safeParse(JSON.parse(text)).success
        } catch {
          return true
        }
      }),
      refused,
    ),
    { numRuns: lawRuns(0.15) },
  )
  t.pass('all refused')
})

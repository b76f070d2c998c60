import t from 'tap'
import { inputSchema } from '../../src/promptbooks/input-schema.ts'
import { fill } from '../../src/promptbooks/placeholders.ts'

const prompts = [{ content: 'Look at <Host> and <user> in <html>' }]
const declared = {
  inputs: [
    { name: 'host', required: true },
    { name: 'User', required: false },
  ],
  prompts,
}

const contentOf = (content: string, given: Record<string, unknown>): string | undefined =>
  fill({ prompts: [{ content }] }, given).prompts?.[0]?.content

t.test('fill()', async t => {
  await t.test('replaces inputs in either case and leaves other words as they are', async t => {
    t.same(fill(declared, { HOST: 'web-1', user: 'ann' }), {
      prompts: [{ content: 'Look at web-1 and ann in <html>' }],
    })
  })

  await t.test('takes the default, else empty text, for what is not required', async t => {
    t.same(fill(declared, { host: 'a' }).prompts, [{ content: 'Look at a and  in <html>' }])
    const inputs = [{ name: 'host', required: false, default: 'b' }]
    for (const given of [undefined, {}, { host: '' }, { host: null }])
      t.same(
        fill({ inputs, prompts }, given).prompts?.[0]?.content,
        'Look at b and <user> in <html>',
      )
  })

  await t.test('fills in one pass: what a value brings along stays', async t => {
    t.equal(contentOf('<a> <b> <<a>>', { a: '<b>', b: '<a>$&$1' }), '<b> <a>$&$1 <<b>>')
  })

  await t.test('fills strings in skill inputs, not keys, names or other values', async t => {
    const prompt = {
      content: 'Go',
      skillName: 'Get',
      skillInputs: { '<a>': 'x<a>', n: 7, b: true },
    }
    t.same(fill({ prompts: [prompt] }, { a: '1' }).prompts, [
      { ...prompt, skillInputs: { '<a>': 'x1', n: 7, b: true } },
    ])
  })

  await t.test('takes strings, numbers and booleans', async t => {
    t.equal(contentOf('<a> <b> <c>', { a: 's', b: 7.5, c: false }), 's 7.5 false')
    for (const value of [[], {}, Number.NaN, 1n, '\uD83D'])
      t.match(fill({ prompts: [{ content: '<a>' }] }, { a: value }), {
        problems: [
          { code: 'InvalidValue', input: 'a', message: 'must be a string, a number or a boolean' },
        ],
      })
  })

  await t.test('names what is missing, unknown and there twice', async t => {
    t.same(fill(declared, { html: 'x', user: 'a', USER: 'b', gone: null }), {
      problems: [
        {
          code: 'UnknownKey',
          input: 'html',
          message: 'is no input: no prompt names it, or the promptbook does not declare it',
        },
        {
          code: 'InvalidValue',
          input: 'USER',
          message: 'differs from "user" only in case: give one of them',
        },
        { code: 'Required', input: 'host', message: 'is required' },
      ],
    })
  })

  await t.test('knows every name in prompts that declare none, and no other', async t => {
    t.match(fill({ prompts }, { html: 'x' }).prompts, [
      { content: 'Look at <Host> and <user> in x' },
    ])
    t.match(fill({ prompts }, { other: 'x' }), { problems: [{ code: 'UnknownKey' }] })
    t.match(fill({ prompts, inputs: [] }, { html: 'x' }), { problems: [{ code: 'UnknownKey' }] })
  })

  await t.test('meets no prototype', async t => {
    const given = JSON.parse('{"__proto__": "x", "constructor": "y"}')
    t.equal(contentOf('<__proto__> <constructor> <toString>', given), 'x y <toString>')
  })

  await t.test('holds the bounds', async t => {
    const full = 'x'.repeat(100_000)
    t.equal(contentOf('<a>', { a: full }), full)
    t.match(fill({ prompts: [{ content: 'x<a>' }] }, { a: full }), {
      problems: [{ prompt: 0, message: /too long/ }],
    })
    t.match(fill({ prompts: [{ content: '<a>'.repeat(30_000) }] }, { a: full }), {
      problems: [{ prompt: 0, message: /too long/ }],
    })
    // `/Get ` and a line `a: 7` come to 10 characters.
    const fits = { content: 'x'.repeat(99_990), skillName: 'Get', skillInputs: { a: 7 } }
    t.same(fill({ prompts: [fits] }), { prompts: [fits] })
    const skill = { ...fits, content: `${fits.content}x` }
    t.match(fill({ prompts: [skill] }), { problems: [{ prompt: 0, message: /too long/ }] })
    t.match(
      fill(
        { prompts: [{ content: 'x', skillName: 'Get', skillInputs: { k: '<a>' } }] },
        { a: 'x'.repeat(20_001) },
      ),
      { problems: [{ prompt: 0, message: /k has at most 20,000/ }] },
    )
    t.match(fill({ prompts: [{ content: '<a>' }] }, { a: '\u200B' }), {
      problems: [{ prompt: 0, message: 'is blank once its inputs are filled in' }],
    })
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, 'x']))
    t.match(fill({ prompts }, many), { problems: [{ message: /at most 50/ }] })
    const unknown = Object.fromEntries(Object.entries(many).slice(1))
    t.equal(fill({ prompts }, unknown).problems?.length, 20)
  })
})

t.test('inputSchema() shows declared inputs as a designer reads them', async t => {
  t.same(
    inputSchema({
      inputs: [
        { name: 'host', description: 'Which host', required: true },
        { name: 'days', required: false, default: '7' },
      ],
    }),
    {
      type: 'object',
      required: ['host'],
      properties: {
        host: {
          type: 'string',
          title: 'host',
          'x-ms-summary': 'host',
          description: 'Which host',
        },
        days: { type: 'string', title: 'days', 'x-ms-summary': 'days', default: '7' },
      },
    },
  )
  t.same(inputSchema({}), { type: 'object', required: [], properties: {} })
})

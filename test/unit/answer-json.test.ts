import t from 'tap'
import { convert } from '../../src/answer/convert.ts'
import { findJson } from '../../src/answer/find-json.ts'

const found = (answer: string): string | undefined => findJson(answer)?.text

t.test('the whole answer, if it is JSON', async t => {
  for (const answer of [
    '42',
    '-1.5e3',
    'true',
    'null',
    '"a {\\"b\\": 1}"',
    '[]',
    '{"a":[1,{"b":2}]}',
  ])
    t.same(findJson(`\ufeff \n${answer}\n`), { text: answer, value: JSON.parse(answer) })
  const answer = '{"a": "```json\\n{\\"b\\":1}\\n```"}'
  t.equal(found(answer), answer)
})

t.test('else its first fenced block that is JSON', async t => {
  const cases: [answer: string, text: string][] = [
    ['Here:\n```json\n{"a": 1}\n```\nDone.', '{"a": 1}'],
    ['```\n[1, 2]\n```', '[1, 2]'],
    ['~~~ anything at all\n{"a": 1}\n~~~', '{"a": 1}'],
    ['````json\n{"a": "```"}\n````', '{"a": "```"}'],
    [
      '```kql\nA | where b\n```\n\n```json\n{"a": 1}\n```\n\n```json\n{"longer": 2}\n```',
      '{"a": 1}',
    ],
    ['```json\n{"a": 1,}\n```\n```js\n[2]\n```', '[2]'],
    ['{"longer": "than what is fenced"}\n```json\n{"a": 1}\n```', '{"a": 1}'],
    ['1. First\n   ```json\n   {\n     "a": 1\n   }\n   ```', '{\n  "a": 1\n}'],
    ['> ```json\n> {"a": 1}\n> ```', '{"a": 1}'],
    ['```json\r\n{"a": 1}\r\n```', '{"a": 1}'],
    ['```json\n{"a": 1}', '{"a": 1}'],
    ['```json\n"scalar"\n```', '"scalar"'],
  ]
  for (const [answer, text] of cases) t.equal(found(answer), text, JSON.stringify(answer))
})

t.test('else the outermost object or list in its text', async t => {
  const cases: [answer: string, text: string][] = [
    ['The verdict is {"a": {"b": [1]}}.', '{"a": {"b": [1]}}'],
    ['a [ {"b": 1}, {"c": "]}"} ] d', '[ {"b": 1}, {"c": "]}"} ]'],
    ['As [1] and [2] say: {"a": 1}', '{"a": 1}'],
    ['- [ ] task\n- [x] done\n{"a": 1}', '{"a": 1}'],
    ['{"a": 1} or {"b": 2}', '{"a": 1}'],
    ['{"a": 1} or {"bb": 2}', '{"bb": 2}'],
    ['for {{user}}, from [0, 5) on, [see {"a": 1}]', '{"a": 1}'],
    ['a "quote { not closed, {"b": 1}', '{"b": 1}'],
    ['{"not a name, {"a": 1}', '{"a": 1}'],
    ['["not a text: {"a": [1, 2]}', '{"a": [1, 2]}'],
    ['{"a\nb": 1} {"c": "d\\"e\\\\"}', '{"c": "d\\"e\\\\"}'],
    [
      '{"a": -1.5e+3, "b": true, "c": false, "d": null} x',
      '{"a": -1.5e+3, "b": true, "c": false, "d": null}',
    ],
    ['a {} b', '{}'],
    ['a {"b": 1} c [', '{"b": 1}'],
  ]
  for (const [answer, text] of cases)
    t.same(findJson(answer), { text, value: JSON.parse(text) }, JSON.stringify(answer))
})

t.test('a part of a record is not the record', async t => {
  for (const answer of [
    'x {"verdict": "bad", "items": [1, 2, 3], "more": "cut o',
    'x {"verdict": "bad", "items": [1, 2, 3],',
    "x {\"items\": [1, 2, 3], 'verdict': 'bad'}",
    'x {"items": [1, 2, 3], // a comment\n "verdict": "bad"}',
    'x {"items": [1, 2, 3],}',
    'x {"items": [1, 2, 3], verdict: "bad"',
    '[1] x {"items": [1, 2, 3], "number": 01.2.3}',
    'x {"items": [1, 2, 3], "escape": "\\q"}',
    'x [{"items": [1, 2, 3]}, [4, 5, 6]',
    '{"a": 1} x {"longer": [1, 2, 3], broken} y',
  ])
    t.equal(found(answer), undefined, answer)
})

t.test('no JSON at all is AnswerNotJson', async t => {
  for (const answer of [
    '',
    ' ',
    'no',
    '{',
    ']',
    '"',
    '{a: 1}',
    '[x]',
    'undefined',
    'NaN',
    '```\nx\n```',
    '01',
    "{'a': 1}",
  ]) {
    t.throws(() => convert(answer, 'json'), {
      code: 'AnswerNotJson',
      status: 422,
      message: 'Cannot read the answer as JSON: no JSON stands in it',
    })
  }
})

t.test('nesting of 512 is read, deeper is not', async t => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  for (const [before, after] of [
    ['', ''],
    ['x ', ' y'],
    ['```\n', '\n```'],
  ] as const) {
    t.equal(found(before + nested(512) + after), nested(512))
    t.equal(found(before + nested(513) + after), undefined)
  }
  t.equal(found(JSON.stringify({ a: '['.repeat(1000) + '\\"' })) !== undefined, true)
  t.equal(found(`x ${nested(100_000)}`), undefined)
})

t.test('what is hostile is read in linear time', async t => {
  const long = (piece: string): string => piece.repeat(Math.ceil(2 ** 18 / piece.length))
  const pieces = [
    '{',
    '[',
    '[[[[x',
    '{"',
    '{"a":',
    '[1,',
    '["[',
    '["\\"[',
    '{"a":1}',
    '[1 x ',
    '{"a":1 x ',
    '"',
    '\\',
    '```\n',
    '> ',
    '- ',
    '{}',
    '[{]',
    '{"a":[}',
  ]
  for (const piece of pieces) {
    const before = process.threadCpuUsage()
    found(long(piece))
    found(`x ${long(piece)}`)
    const { user, system } = process.threadCpuUsage(before)
    // Quadratic time would be a minute.
    t.ok(user + system < 5_000_000, `${JSON.stringify(piece)}: ${user + system} µs`)
  }
})

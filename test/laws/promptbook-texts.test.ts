import fc from 'fast-check'
import t from 'tap'
import { fill } from '../../src/promptbooks/placeholders.ts'
import { createRunId, parseRunId, runIdFrom, seal, unseal } from '../../src/promptbooks/seal.ts'
import { readYaml } from '../../src/promptbooks/yaml-document.ts'
import { readDocument } from '../../src/promptbooks/promptbook-document.ts'

const numRuns = Number(process.env['LAW_RUNS'] ?? 100)

const name = fc.constantFrom('a', 'B', 'host name', 'toString', '__proto__', 'x.y-z', 'İ')
const either = fc.tuple(name, fc.boolean()).map(([one, upper]) => (upper ? one.toUpperCase() : one))
const piece = fc.oneof(
  either.map(one => `<${one}>`),
  fc.constantFrom('<', '>', '<<', '< a>', '$&', '\n', ' and '),
  fc.string({ maxLength: 5 }),
)
const text = fc.array(piece, { maxLength: 20 }).map(pieces => `!${pieces.join('')}`)
const values = fc
  .uniqueArray(
    fc.tuple(
      name,
      piece.filter(one => one !== ''),
    ),
    { selector: ([one]) => one },
  )
  .map(pairs => Object.fromEntries(pairs))

t.test('filling a prompt', async t => {
  t.test('replaces what is known and leaves every other character, in one pass', async t => {
    fc.assert(
      fc.property(text, values, (content, given) => {
        const known = Object.entries(given).filter(([one]) => one !== '__proto__')
        // Declared, so that a value for a name that does not stand in the text is no problem.
        const inputs = known.map(([one]) => ({ name: one, required: true }))
        const { prompts } = fill({ inputs, prompts: [{ content }] }, Object.fromEntries(known))
        // The oracle: split where a placeholder stands, look each part up by itself.
        const expected = content
          .split(/(<[^<>\r\n]{1,128}>)/)
          .map(part => {
            const found = known.find(
              ([one]) => `<${one.toLowerCase()}>` === part.toLowerCase() && part.startsWith('<'),
            )
            return found ? found[1] : part
          })
          .join('')
        t.equal(prompts?.[0]?.content, expected)
      }),
      { numRuns },
    )
  })

  t.test('takes time in proportion to the text, whatever it is made of', async t => {
    for (const part of ['<', '<a', '<a>', '<aa ', `<${'a'.repeat(127)}`]) {
      const content = part.repeat(100_000 / part.length)
      const started = process.cpuUsage()
      fill({ prompts: [{ content }] }, { a: 'x' })
      const { user } = process.cpuUsage(started)
      // Some 10 ms; in the square of the length it would be minutes.
      t.ok(user < 2_000_000, `${part.slice(0, 5)}: ${user} µs`)
    }
  })
})

t.test('a promptbook file', async t => {
  t.test('is read or refused with a line that it has, and nothing is thrown', async () => {
    const line = fc.oneof(
      fc.constantFrom(
        'name: A',
        'prompts:',
        '  - Hello',
        '  - content: Hi',
        '    skill: Get',
        'inputs: [{name: a}]',
        'prompts: [<a>]',
        '- &x y',
        'b: *x',
        '{',
        '"',
        '---',
        '%YAML 1.1',
        '__proto__: 1',
        '<<: {a: b}',
        'null: null',
        '  - null',
      ),
      fc.string({ maxLength: 20 }),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), lines => {
        const read = readDocument(lines.join('\n'), 'file')
        if ('book' in read) return
        if (read.problems.length === 0) throw new Error('refused for nothing')
        for (const problem of read.problems) {
          const last = lines.join('\n').split('\n').length
          if (problem.line < 1 || problem.line > last) throw new Error(JSON.stringify(problem))
        }
      }),
      { numRuns },
    )
  })

  t.test('in JSON says what JSON says, numbers as they are written', async t => {
    const json = fc.dictionary(
      fc.string().filter(key => key !== '__proto__'),
      fc.oneof(fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.string())),
    )
    fc.assert(
      fc.property(json, value => {
        const { value: read, problems } = readYaml(JSON.stringify(value))
        // A key of over 1024 characters is no key to YAML; there is none here.
        t.same([read, problems], [value, []])
      }),
      { numRuns },
    )
  })
})

t.test('what is sealed', async t => {
  t.test('opens with the id of its run, and with no other', async t => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.string(), (said, key, other) => {
        const run = runIdFrom('connection', key)
        const sealed = seal(said, run)
        const parsed = parseRunId(run.runId)
        t.equal(parsed && unseal(sealed, parsed), said)
        t.equal(unseal(sealed, createRunId()), undefined)
        if (other !== key) t.equal(unseal(sealed, runIdFrom('connection', other)), undefined)
        t.equal(unseal(other, run), undefined)
      }),
      { numRuns },
    )
  })
})

import fc from 'fast-check'
import t from 'tap'
import { convert } from '../../src/answer/convert.ts'
import { findJson } from '../../src/answer/find-json.ts'
import { sanitize } from '../../src/answer/sanitize.ts'
import { showTargets } from '../../src/answer/shown-targets.ts'
import { faultsOf } from '../helpers/html-tree.ts'
import { hostileAnswers } from '../helpers/hostile-answers.ts'
import { lawRuns } from '../helpers/laws.ts'

const numRuns = lawRuns()

const splinters =
  `< > </ /> <! <!-- --> --!> <![CDATA[ ]]> <? & ; # &lt; &gt; &#x3c; &colon; &Tab; &NewLine; " ' \` = ( ) [ ] ![ ]( ** __ ~~ | ||
  |-|-| \`\`\` \`\`\`html ~~~ a b p div table tr td svg math style script template noscript textarea title
  <a <b> </b> <p> </p> <div> <table> <td> </table> <svg> </svg> <math> <mtext> <style> </style>
  <script> </script> <textarea> </textarea> <title> </title> <noscript> </noscript> <xmp> <plaintext>
  <img <img/src=x href= src= onerror= onerror=alert(1) style=x: title=" alt=" dir=rtl align=left
  javascript: data: https:// mailto: //evil.example paypal.com evil.example \\ 1. - > * [x] [1]:`.split(
    /\s+/,
  )

/** Text put together from what attackers use, and from anything at all. */
const hostileText = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...splinters) },
      {
        weight: 3,
        arbitrary: fc.constantFrom(' ', '\n', '\n\n', '\t', '\u0000', '\u000c', '\u200b', '\u202e'),
      },
      { weight: 2, arbitrary: fc.constantFrom(...hostileAnswers) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
    ),
    { maxLength: 40 },
  )
  .map(pieces => pieces.join(''))

t.test('the HTML of any answer has allowed elements, attributes and schemes only', async t => {
  fc.assert(
    fc.property(hostileText, answer => {
      t.same(faultsOf(convert(answer, 'html')), [])
      t.same(faultsOf(showTargets(sanitize(answer))), [])
    }),
    { numRuns },
  )
})

t.test('sanitising twice is sanitising once', async t => {
  fc.assert(
    fc.property(hostileText, answer => {
      const once = convert(answer, 'html')
      t.equal(sanitize(once), once)
      t.equal(showTargets(once), once)
      const html = showTargets(sanitize(answer))
      t.equal(showTargets(sanitize(html)), html)
    }),
    { numRuns },
  )
})

t.test('converting is deterministic, and text never fails', async t => {
  fc.assert(
    fc.property(hostileText, answer => {
      t.equal(convert(answer, 'html'), convert(answer, 'html'))
      t.equal(convert(answer, 'text'), convert(answer, 'text'))
    }),
    { numRuns },
  )
})

t.test('any text inside and outside of elements reads the same after it was escaped', async t => {
  fc.assert(
    fc.property(
      fc.constantFrom(...splinters),
      fc.stringMatching(/^[a-z<>&"' ]*$/),
      (piece, text) => {
        const escaped = `${piece}${text}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
        t.equal(convert(`<pre>.${escaped}.</pre>`, 'text'), `.${piece}${text}.`)
      },
    ),
    { numRuns },
  )
})

t.test('a record is found as it is, whatever prose stands around it', async t => {
  const record = fc.oneof(
    fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }),
    fc.array(fc.jsonValue(), { minLength: 1 }),
  )
  const prose = fc.stringMatching(/^[a-z .,:;!?'()*-]{0,40}$/)
  fc.assert(
    fc.property(record, prose, prose, fc.constantFrom(0, 2), (value, before, after, indent) => {
      const text = JSON.stringify(value, null, indent)
      t.same(findJson(`x ${before}${text}${after} x`), { text, value: JSON.parse(text) })
      t.equal(findJson(`x ${before}\n\`\`\`json\n${text}\n\`\`\`\n${after} x`)?.text, text)
    }),
    { numRuns },
  )
})

t.test('what is found in any text is JSON that stands in it', async t => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ',',
    ':',
    '1',
    '-',
    'e',
    'true',
    ' ',
    '\n',
    '"a":',
    '{"a":',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
      const answer = parts.join('')
      const found = findJson(answer)
      if (found === undefined) return
      t.ok(answer.includes(found.text))
      t.same(JSON.parse(found.text), found.value)
    }),
    { numRuns },
  )
})

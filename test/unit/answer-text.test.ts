import t from 'tap'
import { convert } from '../../src/answer/convert.ts'
import { hostileAnswers } from '../helpers/hostile-answers.ts'

const text = (answer: string): string => convert(answer, 'text')

t.test('an answer as plain text', async t => {
  const same: [answer: string, text: string][] = [
    ['# Report\n\n**Bold** *it* ~~gone~~ `a < b`', 'Report\n\nBold it gone a < b'],
    ['one\ntwo<br>three<br><br>four', 'one\ntwo\nthree\n\nfour'],
    ['a &amp; b &lt;c&gt; &copy;', 'a & b <c> ©'],
    ['[a](https://example.com/x?y=1&z=2)', 'a (https://example.com/x?y=1&z=2)'],
    ['[example.com](https://evil.example/)', 'example.com (https://evil.example/)'],
    ['<https://example.com/>', 'https://example.com/'],
    ['[a@b.example](mailto:a@b.example)', 'a@b.example'],
    ['[a](mailto:a@b.example)', 'a (mailto:a@b.example)'],
    ['[a](javascript:alert(1))', 'a'],
    ['![alt](https://evil.example/p.png)', 'alt'],
    ['- a\n- b\n  - c\n\n    d\n- e\n\nf', '- a\n- b\n  - c\n    d\n- e\n\nf'],
    ['3. a\n4. b', '3. a\n4. b'],
    ['- [ ] a\n- [x] b', '- ☐ a\n- ☑ b'],
    ['- \n- b', '- b'],
    ['| a | b |\n|---|--:|\n| 1 | **2** |\n| | 3<br>4 |\n\nend', 'a | b\n1 | 2\n | 3 4\n\nend'],
    [
      '<table><tr><td><p>a</p><p>b</p></td><td></td> <td><ul><li>c</li></ul></td></tr></table>',
      'a b | | - c',
    ],
    ['<table><tr><td><pre>a\nb<br>c</pre></td></tr></table>', 'a b c'],
    ['a\n\n```sh\n  if a < b\n\n\tc  d\n```\n\ne', 'a\n\n  if a < b\n\n\tc  d\n\ne'],
    ['<pre>a<br>  b</pre>', 'a\n  b'],
    ['> a\n> b\n\n---\n\nc', 'a\nb\n\nc'],
    ['<h1>a</h1><p>b  <b> c </b>\n d</p><div>e</div>', 'a\n\nb c d\n\ne'],
    ['```html\n<html><head><title>t</title></head><body><p>a</p></body></html>\n```', 'a'],
    ['مرحبا 🎉 👩‍👩‍👧', 'مرحبا 🎉 👩‍👩‍👧'],
    ['Run it on <hostname>', 'Run it on <hostname>'],
    [' {"a": "*b*"}\n', '{"a": "*b*"}'],
    [
      '<a href="https://a.example/">a<a href="https://b.example/">b</a></a>',
      'a (https://a.example/)b (https://b.example/)',
    ],
    ['', ''],
  ]
  for (const [answer, expected] of same) t.equal(text(answer), expected, JSON.stringify(answer))
})

t.test('a hostile answer as text is nothing but text', async t => {
  for (const answer of hostileAnswers) t.type(text(answer), 'string')
})

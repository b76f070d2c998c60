import t from 'tap'
import { convert } from '../../src/answer/convert.ts'
import { elementsOf, faultsOf, textOf } from '../helpers/html-tree.ts'
import { hostileAnswers } from '../helpers/hostile-answers.ts'

const html = (answer: string): string => convert(answer, 'html')
const tagsOf = (answer: string): string[] =>
  elementsOf(html(answer)).map(element => element.tagName)
const linksOf = (answer: string): string[] =>
  elementsOf(html(answer)).flatMap(({ attrs }) =>
    attrs.filter(({ name }) => name === 'href').map(({ value }) => value),
  )

t.test('a hostile answer comes out harmless, as Markdown and as HTML', async t => {
  for (const answer of hostileAnswers) {
    for (const form of [answer, `<div>${answer}</div>`, `\`\`\`html\n${answer}\n\`\`\``]) {
      t.same(faultsOf(html(form)), [], JSON.stringify(form))
    }
  }
})

t.test('the text around what is hostile stays', async t => {
  t.match(textOf(html('before <script>alert(1)</script> after')), /^before .* after$/)
  t.equal(textOf(html('<div>before <script>alert(1)</script> after</div>')), 'before  after')
  t.equal(textOf(html('<p>a<img alt="b" src="https://evil.example/">c</p>')), 'abc')
  t.equal(textOf(html('a ![b](https://evil.example/p.png) c')), 'a b c')
  t.equal(textOf(html('<form><p>a</p><input value=b></form>')), 'a')
})

t.test('what is no element of HTML is shown as it was written', async t => {
  t.equal(
    textOf(html('Run it on <hostname> as <DOMAIN\\user>')),
    'Run it on <hostname> as <DOMAIN\\user>',
  )
  t.equal(textOf(html('the mail had <script>x()</script>')), 'the mail had <script>x()</script>')
  t.equal(textOf(html('<script>\nx()\n</script>')).trim(), '<script>x()</script>')
  t.equal(textOf(html('a <!-- hidden --> b')), 'a  b')
  t.equal(textOf(html('<!-- not closed\n\nrest')).includes('rest'), true)
  t.equal(textOf(html('<!-- hidden -->\n\nshown')).trim(), 'shown')
})

t.test('links', async t => {
  const shown: [answer: string, text: string][] = [
    ['[paypal.com](https://evil.example/x)', 'paypal.com (evil.example)'],
    [
      '[https://paypal.com/login](https://evil.example:8443)',
      'https://paypal.com/login (evil.example:8443)',
    ],
    ['<a href="https://evil.example/">pay<b>pal</b>.com</a>', 'paypal.com (evil.example)'],
    [
      '<a href="https://evil.example/">pay&#8203;pal&period;com</a>',
      'pay\u200bpal.com (evil.example)',
    ],
    [
      '<a href="https://evil.example/"><img alt="https://paypal.com"></a>',
      'https://paypal.com (evil.example)',
    ],
    ['[ｐａｙｐａｌ．ｃｏｍ](https://evil.example)', 'ｐａｙｐａｌ．ｃｏｍ (evil.example)'],
    ['[paypal。com](https://evil.example)', 'paypal。com (evil.example)'],
    ['[PayPal.COM.](https://evil.example)', 'PayPal.COM. (evil.example)'],
    ['[10.0.0.1](https://evil.example)', '10.0.0.1 (evil.example)'],
    ['[http://localhost/x](https://evil.example)', 'http://localhost/x (evil.example)'],
    [
      '[evil.example and paypal.com](https://evil.example)',
      'evil.example and paypal.com (evil.example)',
    ],
    ['[microsoft.com](https://microsoft.com@evil.example/)', 'microsoft.com (evil.example)'],
    [
      '[microsoft.com@evil.example](https://evil.example/)',
      'microsoft.com@evil.example (evil.example)',
    ],
    [
      '[microsoft.com](https://microsoft.com.evil.example/)',
      'microsoft.com (microsoft.com.evil.example)',
    ],
    ['[microsoft.com](https://mіcrosoft.com/)', 'microsoft.com (xn--mcrosoft-thh.com)'],
    ['[help@contoso.com](mailto:evil@evil.example)', 'help@contoso.com (evil@evil.example)'],
    ['[contoso.com](mailto:evil@evil.example)', 'contoso.com (evil@evil.example)'],
    ['<a href="https://evil.example/">\u202emoc.lapyap</a>', 'moc.lapyap (evil.example)'],
    [`[${'a'.repeat(1001)}](https://evil.example/)`, `${'a'.repeat(1001)} (evil.example)`],
    [
      '<div><a href="https://a.example/">b.example <a href="https://c.example/">d.example</a></a></div>',
      'b.example  (a.example)d.example (c.example)',
    ],
  ]
  await t.test('say in their text where they lead, when the text names another place', async t => {
    for (const [answer, text] of shown) t.equal(textOf(html(answer)), text, answer)
  })
  await t.test('are left alone when the text names the same place, or none', async t => {
    for (const [text, target] of [
      ['the portal', 'https://security.microsoft.com/'],
      ['https://www.example.com/a/b.html', 'https://example.com/c'],
      ['example.com', 'https://www.example.com/a'],
      ['Example.com:443', 'https://example.com/a'],
      ['bücher.example', 'https://bücher.example/'],
      ['evil.example (evil.example)', 'https://evil.example/'],
      ['help@contoso.com', 'mailto:help@contoso.com'],
      ['Help at contoso.com', 'mailto:help@contoso.com?subject=a.b'],
      ['version 1.2, e.g. this', 'https://example.com/'],
    ] as const)
      t.equal(textOf(html(`[${text}](<${target}>)`)), text)
  })
  await t.test('lead to http, https and mailto only, spelled as a browser reads them', async t => {
    t.same(linksOf('[a](HTTPS://Example.COM/a b)'), [])
    t.same(linksOf('[a](HTTPS://Example.COM/a?b=1&c=2)'), ['https://example.com/a?b=1&c=2'])
    t.same(linksOf('[a](https://user:secret@example.com/)'), ['https://example.com/'])
    t.same(linksOf('[a](mailto:a@b.example)'), ['mailto:a@b.example'])
    t.same(linksOf('[a](/relative) [b](#anchor) [c](//example.com)'), [])
    t.same(linksOf('<https://example.com/>'), ['https://example.com/'])
  })
  await t.test('are not made of addresses that are only named', async t => {
    t.same(linksOf('See https://evil.example/ and evil.example'), [])
  })
})

t.test('Markdown survives', async t => {
  const same: [answer: string, html: string][] = [
    ['# a\n## b\n###### c', '<h1>a</h1>\n<h2>b</h2>\n<h6>c</h6>'],
    [
      '**a** *b* ~~c~~ `d < e && "f"`',
      '<p><strong>a</strong> <em>b</em> <s>c</s> <code>d &lt; e &amp;&amp; "f"</code></p>',
    ],
    ['one\ntwo<br>three', '<p>one<br />\ntwo<br />three</p>'],
    [
      '```kql\nA | where b < 3\n  & "c"\n```',
      '<pre><code>A | where b &lt; 3\n  &amp; "c"\n</code></pre>',
    ],
    ['> a', '<blockquote>\n<p>a</p>\n</blockquote>'],
    ['a\n\n---\n\nb', '<p>a</p>\n<hr />\n<p>b</p>'],
    ['3. a\n4. b', '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'],
    [
      '- [ ] a\n- [x] **b**\n- [X] c\n- [y] d',
      '<ul>\n<li>☐ a</li>\n<li>☑ <strong>b</strong></li>\n<li>☑ c</li>\n<li>[y] d</li>\n</ul>',
    ],
    ['🎉 👩‍👩‍👧 مرحبا שלום', '<p>🎉 👩‍👩‍👧 مرحبا שלום</p>'],
    ['<p dir="RTL">مرحبا</p>', '<p dir="rtl">مرحبا</p>'],
    ['a &amp; b &copy; < >', '<p>a &amp; b © &lt; &gt;</p>'],
    ['    four blanks', '<p>four blanks</p>'],
    ['```markdown\n# a\n```', '<h1>a</h1>'],
    ['```\n# a\n```', '<pre><code># a\n</code></pre>'],
    [
      '```html\n<b>a</b>\n```\ntext\n```html\n<b>c</b>\n```',
      '<pre><code>&lt;b&gt;a&lt;/b&gt;\n</code></pre>\n<p>text</p>\n<pre><code>&lt;b&gt;c&lt;/b&gt;\n</code></pre>',
    ],
    ['{"a": "*b*"}', '<pre><code>{"a": "*b*"}</code></pre>'],
    ['', ''],
  ]
  for (const [answer, expected] of same) t.equal(html(answer), expected, JSON.stringify(answer))

  await t.test('tables keep the alignment of their columns', async t => {
    const table = html('| a | b | c |\n|:--|:-:|--:|\n| 1 | **2** | 3<br>4 |')
    const cells = elementsOf(table).filter(({ tagName }) => tagName === 'td')
    t.same(
      cells.map(({ attrs }) => attrs[0]?.value),
      ['left', 'center', 'right'],
    )
  })
  await t.test('lists keep their nesting', async t => {
    t.same(tagsOf('- a\n  1. b\n     - c'), ['ul', 'li', 'ol', 'li', 'ul', 'li'])
  })
})

t.test('an answer that is HTML is sanitised, not escaped', async t => {
  const same: [answer: string, html: string][] = [
    ['<h1 style="color:red">a</h1>\n\n        <p>b</p>', '<h1>a</h1>\n\n        <p>b</p>'],
    ['```html\n<h1>a</h1>\n\n<p>b *c*</p>\n```', '<h1>a</h1>\n\n<p>b *c*</p>'],
    ['~~~HTML\n<b>a</b>\n~~~', '<b>a</b>'],
    ['````html\n<b>a</b>\n````', '<b>a</b>'],
    ['```\n<!DOCTYPE html><html><body><p>a</p></body></html>\n```', '<p>a</p>'],
    [
      '<!DOCTYPE html>\n<html><head><title>t</title><style>p{}</style></head><body><p>a</p></body></html>',
      '<p>a</p>',
    ],
    ['<html>\n<body>\n<p>a</p>\n</body>\n</html>\nDone.', '<p>a</p>\n\n\nDone.'],
    [
      '<table><tr><td style="text-align: Right; color: red" colspan="2" rowspan="1000">a</td></tr></table>',
      '<table><tr><td align="right" colspan="2">a</td></tr></table>',
    ],
    [
      '<table><tr><th align="CENTER">a</th><th align="evil">b</th></tr></table>',
      '<table><tr><th align="center">a</th><th>b</th></tr></table>',
    ],
    ['<section>a</section><footer>b</footer>', '<div>a</div><div>b</div>'],
    [
      '<p><strike>a</strike><tt>b</tt><font color=red>c</font></p>',
      '<p><s>a</s><code>b</code>c</p>',
    ],
    ['<ol start="x"><li>a</li></ol>', '<ol><li>a</li></ol>'],
  ]
  for (const [answer, expected] of same)
    t.equal(html(answer).replace(/\n+$/, ''), expected, JSON.stringify(answer))
  t.equal(html('```html'), '<pre><code></code></pre>', 'a fence and nothing in it')
  t.equal(html('```html\n<b>a</b>\n~~~').startsWith('<pre>'), true, 'a fence that is not closed')
})

t.test('elements deeper than 100 are taken out, their text stays', async t => {
  const deep = html(`<div>${'<b>'.repeat(300)}x${'</b>'.repeat(300)}</div>`)
  t.equal(deep.split('<b>').length - 1, 99)
  t.equal(textOf(deep), 'x')
})

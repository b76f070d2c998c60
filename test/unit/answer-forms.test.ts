import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { build } from '../../scripts/build.ts'
import {
  type AnswerForms,
  type AnswerFormsOptions,
  createAnswerForms,
} from '../../src/answer/answer.ts'

const mebibyte = 2 ** 20

function formsFor(t: Test, options: AnswerFormsOptions = {}): AnswerForms {
  const forms = createAnswerForms(options)
  t.teardown(() => forms.close())
  return forms
}

/** `piece` again and again, cut at `length`. */
const long = (piece: string, length = mebibyte): string =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length)

/** So many ms of CPU may one piece of work hold the event loop. */
const maxHoldMs = 100

/** The least of up to five tries: cores that others share, and collected garbage, add to one. */
async function longestHold(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let tries = 0; tries < 5 && least >= maxHoldMs; tries += 1) {
    least = Math.min(least, await longestHoldOnce(work))
  }
  return least
}

/** The most CPU, in ms, that this thread spent between two looks 5 ms apart. */
async function longestHoldOnce(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = process.threadCpuUsage()
  const look = (): void => {
    const { user, system } = process.threadCpuUsage(last)
    longest = Math.max(longest, (user + system) / 1000)
    last = process.threadCpuUsage()
  }
  const timer = setInterval(look, 5)
  await work()
  look()
  clearInterval(timer)
  return longest
}

const hostile: Record<string, string> = {
  brackets: long('['),
  images: long('!['),
  stars: long('*a **b '),
  underlines: long('_'),
  backticks: long('`a``b'),
  'open tags': long('<a '),
  quotations: long('>'),
  elements: long('<b>'),
  'HTML elements': `<div>${long('<b>')}>`,
  'a wide table': `${long('|a')}|\n${long('|-')}|\n`,
  'a table of short rows': `${'|a'.repeat(300)}|\n${'|-'.repeat(300)}|\n${long('|\n')}`,
  entities: long('&amp;'),
  ampersands: long('&'),
  links: long('[a]('),
  comments: long('<!--'),
  lists: long('- '),
  attributes: `<p ${long('a="b" ')}>`,
  records: `x ${long('{"a":[')}`,
}

t.test('null is no answer in every form', async t => {
  const forms = formsFor(t)
  for (const format of ['html', 'text', 'json'] as const)
    t.same(await forms.convert(null, format), { content: null })
})

t.test('short and long answers take different roads to the same forms', async t => {
  const answer = '**a** [b](https://example.com/) [1]\n\n```json\n{"c": [1, 2]}\n```'
  for (const inPlaceCharacters of [4096, 0]) {
    const forms = formsFor(t, { inPlaceCharacters })
    t.match((await forms.convert(answer, 'html')).content, /^<p><strong>a<\/strong> <a href=/)
    t.match(
      (await forms.convert(answer, 'text')).content,
      /^a b \(https:\/\/example\.com\/\) \[1\]/,
    )
    const json = await forms.convert(answer, 'json')
    t.equal(json.content, '{"c": [1, 2]}')
    t.same(json.value, { c: [1, 2] })
    const refused = { code: 'AnswerNotJson', status: 422 }
    await t.rejects(forms.convert('no JSON', 'json'), refused)
  }
})

t.test('a long answer that means no harm is converted whole', async t => {
  const forms = formsFor(t, { deadlineMs: 60_000 })
  const piece =
    '- **Alert** `a < b` on [host](https://example.com/a)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n'
  const { content } = await forms.convert(piece.repeat(1500), 'html')
  t.equal(content?.split('<table>').length, 1501)
  const text = await forms.convert(piece.repeat(1500), 'text')
  t.equal(text.content?.split('a | b\n1 | 2').length, 1501)
  const json = JSON.stringify(Array.from({ length: 50_000 }, (_, id) => ({ id })))
  t.equal((await forms.convert(`Here:\n\n${json}\n\nDone.`, 'json')).content, json)
})

t.test('no answer of 1 MiB holds the event loop for 100 ms of CPU', async t => {
  const forms = formsFor(t, { deadlineMs: 150 })
  for (const [name, answer] of Object.entries(hostile)) {
    for (const format of ['html', 'text', 'json'] as const) {
      const hold = await longestHold(() => forms.convert(answer, format).catch(() => undefined))
      t.ok(hold < maxHoldMs, `${name}, ${format}: ${hold.toFixed(0)} ms`)
    }
  }
})

t.test('no short answer does, which is converted in place', async t => {
  const forms = formsFor(t)
  for (const [name, answer] of Object.entries(hostile)) {
    for (const format of ['html', 'text', 'json'] as const) {
      const short = answer.slice(0, 4096)
      const hold = await longestHold(() => forms.convert(short, format).catch(() => undefined))
      t.ok(hold < maxHoldMs, `${name}, ${format}: ${hold.toFixed(0)} ms`)
    }
  }
  const columns = '|a'.repeat(600)
  const table = `${columns}|\n${columns.replaceAll('a', '-')}|\n${'|\n'.repeat(800)}`
  t.ok(table.length < 4096)
  t.ok((await longestHold(() => forms.convert(table, 'html'))) < maxHoldMs)
})

t.test('an answer over its deadline stays as it is, and the next is converted', async t => {
  const forms = formsFor(t, { inPlaceCharacters: 10, deadlineMs: 1 })
  const answer = long('<b>"&')
  const [html, text, json] = await Promise.allSettled(
    (['html', 'text', 'json'] as const).map(format => forms.convert(answer, format)),
  )
  t.match(html, { value: { content: /^<pre>(&lt;b&gt;&quot;&amp;)+/ } })
  t.same(text, { status: 'fulfilled', value: { content: answer } })
  t.match(json, {
    reason: {
      code: 'AnswerNotJson',
      message: 'Cannot read the answer as JSON: it takes too long or too much memory',
    },
  })
  const patient = formsFor(t, { inPlaceCharacters: 0, deadlineMs: 3000 })
  t.match(await patient.convert(`<p>${long('<b>')}>`, 'html'), { content: /^<pre>&lt;p&gt;/ })
  await t.resolveMatch(
    (async () => {
      // The new thread loads its libraries within the deadline, or is given up too.
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const form = await patient.convert('**a**', 'html')
        if (!form.content?.startsWith('<pre>')) return form
      }
      return undefined
    })(),
    { content: '<p><strong>a</strong></p>' },
  )
})

t.test(
  'an answer over the heap of its thread stays as it is, and the next is converted',
  async t => {
    const forms = formsFor(t, { inPlaceCharacters: 0, heapMib: 64, deadlineMs: 60_000 })
    const answer = long('# a\n', 4 * mebibyte)
    t.match(await forms.convert(answer, 'html'), { content: /^<pre># a\n# a/ })
    t.same(await forms.convert('**a**', 'html'), { content: '<p><strong>a</strong></p>' })
  },
)

t.test('too many bytes that wait are Overloaded; one answer is always let in', async t => {
  const forms = formsFor(t, { inPlaceCharacters: 0, waitingBytes: 100 })
  const first = forms.convert('a'.repeat(1000), 'text')
  await t.rejects(forms.convert('b', 'text'), {
    code: 'Overloaded',
    status: 503,
    shown: { retryAfterSeconds: 10 },
  })
  t.same(await first, { content: 'a'.repeat(1000) })
  const many = Array.from({ length: 10 }, (_, number) => forms.convert(`*${number}*`, 'text'))
  t.same(
    await Promise.all(many),
    Array.from({ length: 10 }, (_, number) => ({ content: `${number}` })),
  )
})

t.test('close() ends what runs and waits', async t => {
  const forms = formsFor(t, { inPlaceCharacters: 0 })
  const pending = Promise.allSettled([forms.convert('a', 'html'), forms.convert('b', 'html')])
  await forms.close()
  for (const outcome of await pending) t.match(outcome, { reason: { code: 'Overloaded' } })
  await t.rejects(forms.convert('c', 'html'), { code: 'Overloaded' })
  await t.resolves(createAnswerForms().close(), 'also when no thread was started')
})

t.test('works from the built JavaScript', async t => {
  const folder = t.testdir()
  build('src', folder)
  const built = (await import(pathToFileURL(`${folder}/answer/answer.js`).href)) as {
    createAnswerForms: typeof createAnswerForms
  }
  const forms = built.createAnswerForms({ inPlaceCharacters: 3 })
  t.teardown(() => forms.close())
  t.same(await forms.convert('*a*', 'html'), { content: '<p><em>a</em></p>' })
  t.same(await forms.convert('**b**', 'html'), { content: '<p><strong>b</strong></p>' })
})

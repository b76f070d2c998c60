import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findPromptbook } from '../../src/promptbooks/book.ts'
import { fill } from '../../src/promptbooks/placeholders.ts'
import { type PromptbookError, readPromptbooks } from '../../src/promptbooks/promptbook-files.ts'
import { promptbookJsonSchema } from '../../src/promptbooks/promptbook-schema.ts'

type Files = Readonly<Record<string, string | Uint8Array>>

/** A folder with these files. */
async function folderOf(t: Test, files: Files): Promise<string> {
  const folder = t.testdir()
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

/** What is wrong with a folder of these files, a line each. */
async function problemsOf(t: Test, files: Files): Promise<readonly string[]> {
  const folder = await folderOf(t, files)
  try {
    await readPromptbooks(folder)
    return []
  } catch (error) {
    return (error as PromptbookError).problems
  }
}

const book = (name: string, more = ''): string => `name: ${name}\nprompts: [Hello]\n${more}`

t.test('readPromptbooks()', async t => {
  await t.test('reads YAML and JSON of one folder, in the order of their names', async t => {
    const folder = await folderOf(t, {
      'b.yml': book('Second'),
      'a.yaml': book('First'),
      'C.JSON': JSON.stringify({ name: 'Third', prompts: ['Hello'] }),
      'd.json': '\uFEFF{"name": "Fourth", "prompts": ["Hello"]}',
      'notes.md': '# no promptbook',
      '.hidden.yaml': 'no promptbook: [',
    })
    await mkdir(join(folder, 'deeper.yaml'))
    await writeFile(join(folder, 'deeper.yaml', 'e.yaml'), 'no promptbook: [')
    await symlink(join(folder, 'a.yaml'), join(folder, 'link.txt'))

    const books = await readPromptbooks(folder)

    t.same(
      books.map(({ id, name }) => [id, name]),
      [
        ['C', 'Third'],
        ['a', 'First'],
        ['b', 'Second'],
        ['d', 'Fourth'],
      ],
    )
  })

  await t.test('follows links, as Kubernetes mounts files', async t => {
    const folder = await folderOf(t, { 'a.txt': book('First') })
    await symlink(join(folder, 'a.txt'), join(folder, 'a.yaml'))
    t.equal((await readPromptbooks(folder))[0]?.id, 'a')
  })

  await t.test('reads all that a promptbook may hold', async t => {
    const folder = await folderOf(t, {
      'all.yaml': `$schema: ./promptbook.schema.json
id: 3F0D8A52-6c1e-4b7f-9d34-5a2e71c8b960
name: All of it
description: What it is for.
inputs:
  - { name: Host Name, description: Which host }
  - { name: days, required: false }
  - { name: case, default: 007 }
  - { name: deep, required: false, default: true }
prompts:
  - Look at <host name> for <DAYS> days
  - content: Case <case>
    skill: Get Case
    inputs: { caseId: <case>, deep: <deep>, limit: 1.10, all: false }
`,
    })
    t.same(await readPromptbooks(folder), [
      {
        id: '3F0D8A52-6c1e-4b7f-9d34-5a2e71c8b960',
        name: 'All of it',
        description: 'What it is for.',
        inputs: [
          { name: 'Host Name', description: 'Which host', required: true },
          { name: 'days', required: false },
          { name: 'case', required: false, default: '007' },
          { name: 'deep', required: false, default: 'true' },
        ],
        prompts: [
          { content: 'Look at <host name> for <DAYS> days' },
          {
            content: 'Case <case>',
            skillName: 'Get Case',
            skillInputs: { caseId: '<case>', deep: '<deep>', limit: '1.10', all: false },
          },
        ],
      },
    ])
  })

  await t.test('names file, line and the way out of everything that is wrong', async t => {
    t.same(
      await problemsOf(t, {
        'a.yaml': `name: A
descripton: a slip
inputs:
  - name: host
    required: maybe
  - description: no name
prompts:
  - Look at <host>
  -
  - skill: Get
  - content: 7
    skill: "Get:It"
  - content: ""
  - "  "
  - content: [Look]
    inputs: { "a:b": c }
`,
        'b.json': '{\n  "id": "b",\n  "prompts": []\n}',
        'c.yaml': '- Hello',
        'd.yaml': '',
      }),
      [
        'a.yaml:5: inputs[0].required is not true or false: give it true or false',
        'a.yaml:6: inputs[1] has no name: give it a name',
        'a.yaml:9: prompts[1] is empty: give it text, or content with a skill',
        'a.yaml:10: prompts[2] has no content: give it text',
        'a.yaml:12: prompts[3].skill is not a name: use letters, digits, "_", "." and "-", with single blanks between',
        'a.yaml:13: prompts[4].content is empty: give it text',
        'a.yaml:14: prompts[5] is blank: give it text that can be seen',
        'a.yaml:15: prompts[6].content is not text: give it text',
        'a.yaml:16: prompts[6].inputs."a:b" is not a name: use letters, digits, "_", "." and "-", with single blanks between',
        'a.yaml:2: descripton is unknown: take it out, or mend its spelling',
        'b.json:2: id is not a GUID: give it a GUID, or leave it out',
        'b.json:1: the file has no name: give it text',
        'b.json:3: prompts is empty: give it a prompt',
        'c.yaml:1: the file is not a promptbook: give it a name and prompts',
        'd.yaml:1: the file is empty: give it a name and prompts',
      ],
    )
  })

  await t.test('names what is no YAML, without its text', async t => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['name: a: secret', /^x\.yaml:1: has ": " inside a text, or .+: put the text in quotes/],
      ['name: A\nname: secret', /^x\.yaml:2: has a key twice: take one out$/],
      ['name: !secret A', /^x\.yaml:1: has a tag: take it out/],
      ['name: !!binary c2VjcmV0', /^x\.yaml:1: has a tag: take it out/],
      ['name: *secret', /^x\.yaml:1: has an alias without its anchor/],
      ['name: "secret', /^x\.yaml:1: misses a closing quote/],
      ['a: secret\n---\nb: secret', /^x\.yaml:2: has several documents/],
      ['? [secret]\n: b', /^x\.yaml:1: has a key that is no text/],
      ['\tname: secret', /^x\.yaml:1: is indented with a tab: use blanks$/],
      ['name: A\nprompts:\n - secret\n- secret', /^x\.yaml:4: .+ or is indented otherwise: put/],
      ['name: @secret', /^x\.yaml:1: begins with a character that means something else/],
      [
        'name: [A\nprompts: secret',
        /^x\.yaml:2: is indented otherwise, or a bracket is not closed/,
      ],
      ['name: [A] secret', /^x\.yaml:1: is not YAML \([A-Z_]+\): mend the line/],
      ['['.repeat(50_000), /^x\.yaml:1: is not YAML \(RESOURCE_EXHAUSTION\)/],
      ['name: A\n__proto__: { secret: 1 }', /^x\.yaml:2: has the key "__proto__": take it out$/],
    ]
    for (const [text, expected] of cases) {
      const [first, ...rest] = await problemsOf(t, { 'x.yaml': text })
      t.match(first, expected, text.slice(0, 30))
      t.notMatch([first, ...rest].join('\n'), /secret/)
    }
  })

  await t.test('reads a few aliases and refuses a bomb of them', async t => {
    const few = 'name: A\nprompts:\n  - &ask Hello\n  - *ask\n'
    const folder = await folderOf(t, { 'few.yaml': few })
    t.same((await readPromptbooks(folder))[0]?.prompts, [
      { content: 'Hello' },
      { content: 'Hello' },
    ])

    const level = (n: number): string => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]\n`
    const bomb = `a0: &a0 [x]\n${[1, 2, 3, 4, 5, 6, 7, 8].map(level).join('')}`
    t.same(await problemsOf(t, { 'bomb.yaml': bomb }), [
      'bomb.yaml:1: has too many aliases: write the text out',
    ])
  })

  await t.test('names an alias that stands for something wrong where it is used', async t => {
    const text = 'name: A\nprompts:\n  - &ask { skill: Get }\n  - *ask\n'
    t.same(await problemsOf(t, { 'a.yaml': text }), [
      'a.yaml:3: prompts[0] has no content: give it text',
      'a.yaml:4: prompts[1] has no content: give it text',
    ])
  })

  await t.test('refuses inputs that are there twice or for nothing', async t => {
    const text = `name: A
inputs:
  - name: host
  - name: HOST
  - name: user
prompts:
  - Look at <Host>
  - content: Look
    inputs: { a: b }
`
    t.same(await problemsOf(t, { 'a.yaml': text }), [
      'a.yaml:4: inputs[1].name is that of inputs[0] too: give each its own name',
      'a.yaml:5: inputs[2].name stands in no prompt: write <user> where it belongs, or take it out',
      'a.yaml:9: prompts[1].inputs has no skill to go to: give the prompt a skill',
    ])
  })

  await t.test('refuses ids and names that meet, in either case', async t => {
    t.same(
      await problemsOf(t, {
        'a.yaml': book('First'),
        'A.json': '{"name": "Second", "prompts": ["Hello"]}',
        'b.yaml': book('FIRST'),
        'c.yaml': book('B'),
        'd.yaml': book('d'),
      }),
      [
        'a.yaml:1: its id is an id or name in A.json too: change one of them',
        'b.yaml:1: its name is an id or name in a.yaml too: change one of them',
        'c.yaml:1: its name is an id or name in b.yaml too: change one of them',
      ],
    )
  })

  await t.test('holds the bounds', async t => {
    const list = (count: number, item: string) => JSON.stringify(Array(count).fill(item))
    const whole = (prompts: string) => `name: A\nprompts: ${prompts}`
    t.same(await problemsOf(t, { 'a.yaml': whole(list(50, 'x'.repeat(1000))) }), [])
    t.same(await problemsOf(t, { 'a.yaml': whole(list(1, 'x'.repeat(100_000))) }), [])
    t.same(await problemsOf(t, { 'a.yaml': whole(list(51, 'x')) }), [
      'a.yaml:2: prompts has too many prompts: give it at most 50',
    ])
    t.same(await problemsOf(t, { 'a.yaml': whole(list(1, 'x'.repeat(100_001))) }), [
      'a.yaml:2: prompts[0] is too long: give it at most 100,000 characters',
    ])
    t.same(await problemsOf(t, { 'a.yaml': whole('["\\uD83D"]') }), [
      'a.yaml:2: prompts[0] has half of a surrogate pair: write the character',
    ])
    t.same(await problemsOf(t, { 'a.yaml': whole('["\\u200B\\u3164"]') }), [
      'a.yaml:2: prompts[0] is blank: give it text that can be seen',
    ])
    const inputs = JSON.stringify(
      Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])),
    )
    t.same(
      await problemsOf(t, { 'a.yaml': whole(`[{content: x, skill: y, inputs: ${inputs}}]`) }),
      ['a.yaml:2: prompts[0].inputs has too many values: give it at most 50'],
    )
    t.same(await problemsOf(t, { 'a.yaml': `name: "A "\nprompts: [x]` }), [
      'a.yaml:1: name begins or ends with a blank, or has two lines: write it in one',
    ])
    t.same(await problemsOf(t, { 'a.yaml': Buffer.alloc(1024 * 1024 + 1, '#') }), [
      'a.yaml:1: is over 1 MiB: make it smaller',
    ])
    t.same(await problemsOf(t, { 'a.yaml': Buffer.from([0x6e, 0xff, 0xfe]) }), [
      'a.yaml:1: is not UTF-8: save it as UTF-8',
    ])
    const many = Object.fromEntries(Array.from({ length: 501 }, (_, i) => [`${i}.yaml`, 'x']))
    t.same(await problemsOf(t, many), [
      'the folder has 501 files: at most 500 promptbooks are read',
    ])
  })

  await t.test('tells at most 20 problems of a file', async t => {
    const text = `name: A\nprompts: [x]\n${Array.from({ length: 25 }, (_, i) => `k${i}: x\n`).join('')}`
    const problems = await problemsOf(t, { 'a.yaml': text })
    t.equal(problems.length, 21)
    t.equal(problems.at(-1), 'a.yaml: has 5 more problems')
  })

  await t.test('names a folder or file that cannot be read', async t => {
    await t.rejects(readPromptbooks(join(t.testdir(), 'none')), {
      name: 'PromptbookError',
      message:
        'Cannot read the promptbooks:\n  the folder cannot be read (ENOENT): see PROMPTBOOKS_PATH',
    })
    const folder = await folderOf(t, {})
    await symlink(join(folder, 'gone'), join(folder, 'a.yaml'))
    await symlink('/dev/null', join(folder, 'b.yaml'))
    await symlink(join(folder, 'gone'), join(folder, 'c\n.yaml'))
    await t.rejects(readPromptbooks(folder), {
      message: [
        'Cannot read the promptbooks:',
        'a.yaml:1: cannot be read (ENOENT): see its owner and mode',
        'b.yaml:1: is no regular file: put a file in its place',
        '"c\\n.yaml":1: cannot be read (ENOENT): see its owner and mode',
      ].join('\n  '),
    })
  })
})

t.test('findPromptbook() finds by id or name, in either case', async t => {
  const books = await readPromptbooks('src/sandbox/promptbooks')
  for (const asked of ['3F0D8A52-6C1E-4B7F-9D34-5A2E71C8B960', 'incident INVESTIGATION'])
    t.equal(findPromptbook(books, asked)?.name, 'Incident investigation')
  t.equal(findPromptbook(books, 'nothing'), undefined)
})

t.test('the sandbox brings two promptbooks that can be filled', async t => {
  const books = await readPromptbooks('src/sandbox/promptbooks')
  t.same(
    books.map(({ name }) => name),
    ['Incident investigation', 'Suspicious script analysis'],
  )
  for (const book of books) {
    const required = book.inputs?.filter(input => input.required) ?? []
    const { prompts = [] } = fill(
      book,
      Object.fromEntries(required.map(({ name }) => [name, '42'])),
    )
    t.equal(prompts.length, book.prompts.length)
    for (const { content } of prompts) t.notMatch(content, /<[A-Z]\w+>/)
  }
})

t.test('docs/promptbook.schema.json is what the service checks', async t => {
  const how =
    'write JSON.stringify(promptbookJsonSchema(), undefined, 2) to docs/promptbook.schema.json, then `npm run fix`'
  t.same(
    JSON.parse(await readFile('docs/promptbook.schema.json', 'utf8')),
    promptbookJsonSchema(),
    how,
  )
})

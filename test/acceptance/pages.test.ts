import { readFileSync } from 'node:fs'
import t from 'tap'
import { callerOf } from '../helpers/callers.ts'
import {
  axeProblems,
  brightness,
  openBrowser,
  openPage,
  sideways,
  telephone,
} from '../helpers/browser-pages.ts'
import { freePort } from '../helpers/free-port.ts'
import { sandbox } from '../helpers/sandbox-world.ts'
import { world } from '../helpers/world.ts'

const book = {
  id: '3f0d8a52-6c1e-4b7f-9d34-5a2e71c8b960',
  name: 'Incident investigation',
  description: 'From an incident to a report.',
  inputs: [
    { name: 'IncidentId', description: 'Number of the incident.', required: true },
    { name: 'Audience', description: 'Who reads it.', required: false },
  ],
}

/** A text as a marker takes it. */
const encoded = (text: string): string => Buffer.from(text).toString('base64url')

const step = (promptContent: string, evaluationResultType = 'Success') => ({
  skillName: '',
  promptContent,
  evaluationResultType,
  evaluationResultContent: evaluationResultType === 'Success' ? 'Two **users**.' : '',
  skillSources: [],
})

t.test('GET / leads to the API reference, below the path of PUBLIC_URL', async t => {
  for (const [publicUrl, target] of [
    ['http://localhost', '/docs'],
    ['https://copilot.example/base', '/base/docs'],
  ] as const) {
    const { url } = await world(t, { env: { PUBLIC_URL: publicUrl } })
    const { status, headers } = await fetch(url, { redirect: 'manual' })
    t.same([status, headers.get('location')], [302, target])
  }
})

t.test('/favicon.ico is the connector’s icon', async t => {
  const { url } = await world(t)
  const response = await fetch(`${url}/favicon.ico`)
  t.equal(response.headers.get('content-type'), 'image/png')
  t.ok(Buffer.from(await response.arrayBuffer()).equals(readFileSync('icon.png')))
})

t.test(
  '/watch is served where a call without credentials is let in, or with WATCH_PAGE=on',
  async t => {
    const off = await world(t)
    t.match(await off.get('/watch'), { status: 404, body: { error: { code: 'NotFound' } } })
    const on = await world(t, { env: { WATCH_PAGE: 'on', PUBLIC_URL: 'http://localhost/a"b' } })
    const { status, headers, body } = await on.get('/watch')
    t.equal(status, 200)
    t.match(body, /<input id="token" type="password"/)
    t.match(body, /data-root="\/a%22b"/)
    t.match(headers.get('content-security-policy'), /^default-src 'none'; /)
    t.notMatch(headers.get('content-security-policy'), /unsafe|https?:|\*/)
    t.notMatch(body, /<script(?! type="module" src=)|<style|\son\w+=/)
    for (const [, file] of body.matchAll(/(?:href|src)="\/a%22b(\/watch\/[^"]+)"/g)) {
      t.equal((await on.get(file)).status, 200, file)
    }
    t.match(await on.post('/watch', {}), { status: 405 })
  },
)

t.test('the page at /watch, where no sign-in is needed', async t => {
  const { url, clock } = await sandbox(t, { EVALUATIONS_PER_HOUR: '20' })
  const browser = await openBrowser(t)
  const { page, complaints, hosts } = await openPage(browser, {
    viewport: { width: 1200, height: 900 },
  })
  const runs: { prefer: string | undefined; body: any }[] = []
  let polls = 0
  await page.route('**/promptbooks', route => route.fulfill({ json: { value: [book] } }))
  await page.route('**/run-promptbook', route => {
    const request = route.request()
    runs.push({ prefer: request.headers()['prefer'], body: request.postDataJSON() })
    return route.fulfill({
      status: 202,
      headers: { location: 'https://elsewhere.example/base/promptbook-runs/r1/result' },
      json: {
        sessionId: 's',
        promptId: 'p',
        promptbookState: 'Running',
        evaluationResults: [],
        errors: [],
      },
    })
  })
  await page.route('**/promptbook-runs/r1/result', route => {
    polls += 1
    const steps = [step('Summarize'), step('List', polls < 2 ? 'Unknown' : 'Rejected')]
    const state = polls < 2 ? 'Running' : 'Failed'
    return route.fulfill({
      json: {
        sessionId: 's',
        promptId: 'p',
        promptbookState: state,
        evaluationResults: steps,
        errors: polls < 2 ? [] : ['Cannot go on: prompt 2 was rejected'],
      },
    })
  })
  await page.goto(`${url}/watch`)
  await page.getByText('A promptbook').waitFor()
  const state = page.locator('#state')

  await t.test('says what it is, who calls, and what is left', async t => {
    t.match(await page.locator('.notice').textContent(), /no AI is called.+no sign-in is needed/)
    await page.getByRole('meter').first().waitFor()
    t.match(await page.locator('#who').textContent(), /^sandbox \(Default\), workspace default/)
    t.match(await page.getByRole('meter').first().getAttribute('aria-label'), /of 600 left$/)
    t.equal(await page.getByRole('meter').count(), 2)
    t.equal(await page.locator('#token').count(), 0)
  })

  await t.test('runs a prompt by the keyboard, and shows how its state moves', async t => {
    await page.getByLabel('Prompt', { exact: true }).focus()
    await page.keyboard.press('Control+A')
    const answer = encoded('# Two users\n\n| A |\n| - |\n| <b onclick=x>adele</b> |')
    await page.keyboard.insertText(`It's late: who? [sim:answer=${answer}]`)
    await page.keyboard.press('Control+Enter')
    await state.getByText('Running').or(state.getByText('Created')).waitFor()
    t.equal(await page.evaluate('document.activeElement.id'), 'run-title')
    clock.advance(20_000)
    await state.getByText('Completed: Success').waitFor()
    const seen = await page.locator('#states li').allTextContents()
    t.match(seen[0], /^Sent 0\.\d s$/)
    t.match(seen.at(-1), /^Completed \d/)
  })

  await t.test('shows the answer as HTML in a frame that runs nothing', async t => {
    const frame = page.locator('#answer')
    t.equal(await frame.getAttribute('sandbox'), '')
    const inside = page.frameLocator('#answer')
    t.equal(await inside.locator('h1').textContent(), 'Two users')
    t.match(await inside.locator('td').textContent(), /adele/)
    t.equal(await inside.locator('[onclick], script').count(), 0)
    t.match(
      await inside
        .locator('body')
        .evaluate((node: any) => node.ownerDocument.defaultView.getComputedStyle(node).fontFamily),
      /system-ui/,
      'and its style is loaded',
    )
  })

  await t.test('shows the ids to copy, and its calls as curl', async t => {
    const ids = await page.locator('#ids dd code').allTextContents()
    t.equal(ids.length, 3)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy evaluationId' }).click()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), ids[2])
    const calls = await page.locator('#calls pre').allTextContents()
    const submit = calls.find(text => text.includes('/process-prompt')) ?? ''
    t.match(submit, /^curl 'http:.+\/process-prompt' \\\n {2}-H 'Prefer: respond-async'/)
    t.match(submit, /It'\\''s late/, 'quoted for a shell')
    t.ok(calls.some(text => text.includes('/answer?as=html')))
  })

  await t.test('goes on in the same session', async t => {
    const [session] = await page.locator('#ids dd code').allTextContents()
    await page.getByLabel('Go on in the same session').check()
    await page.getByLabel('Prompt', { exact: true }).fill('And now? [sim:seconds=0]')
    await page.getByRole('button', { name: 'Run' }).click()
    clock.advance(5000)
    await page.locator('#states li').getByText('Completed').waitFor()
    t.equal((await page.locator('#ids dd code').allTextContents())[0], session)
  })

  await t.test('says why a prompt was refused', async t => {
    await page.getByLabel('Prompt', { exact: true }).fill('x [sim:createPrompt=403]')
    await page.getByRole('button', { name: 'Run' }).click()
    await page.getByRole('alert').getByText('GraphForbidden').waitFor()
    t.equal(await state.textContent(), 'Stopped')
    t.match(complaints.splice(0), [/403/])
  })

  await t.test('runs a promptbook with its inputs, and follows it to its end', async t => {
    await page.getByLabel('A promptbook').check()
    await page.getByLabel('IncidentId').fill('4711')
    await page.getByRole('button', { name: 'Run' }).click()
    await state.getByText('Failed').waitFor()
    t.same(runs, [
      {
        prefer: 'respond-async',
        body: { PromptbookId: book.id, PromptbookInputs: { IncidentId: '4711' } },
      },
    ])
    t.match(await page.locator('#steps summary').allTextContents(), [
      'Summarize Success',
      'List Rejected',
    ])
    t.match(await page.getByRole('alert').textContent(), /prompt 2 was rejected/)
  })

  await t.test(
    'has no serious problem for who uses it without seeing it, or in the dark',
    async t => {
      t.same(await axeProblems(page), [])
      t.ok((await brightness(page)) > 200)
      await page.emulateMedia({ colorScheme: 'dark' })
      t.same(await axeProblems(page), [])
      t.ok((await brightness(page)) < 60)
    },
  )

  await t.test('fits on a telephone', async t => {
    const small = await openPage(browser, telephone)
    await small.page.route('**/promptbooks', route => route.fulfill({ json: { value: [book] } }))
    await small.page.goto(`${url}/watch`)
    await small.page.getByLabel('Prompt', { exact: true }).fill('Hello [sim:seconds=0]')
    await small.page.getByRole('button', { name: 'Run' }).click()
    clock.advance(5000)
    await small.page.locator('#answer').waitFor()
    t.equal(await sideways(small.page), 0)
  })

  t.same(complaints, [])
  t.same([...hosts], [new URL(url).host])
})

t.test('the page at /watch, where callers sign in', async t => {
  const seen: (string | undefined)[] = []
  const port = await freePort()
  const { url, log } = await world(t, {
    port,
    env: { WATCH_PAGE: 'on' },
    authenticate: async ({ headers }) => {
      seen.push(headers.authorization)
      return callerOf('alice')
    },
  })
  const { page } = await openPage(await openBrowser(t))
  await page.goto(`${url}/watch`)
  t.same(seen, [], 'asks nothing before there is a token')
  await page.getByLabel('Token of a user for this API').fill('s3cret-token')
  await page.getByRole('button', { name: 'Use it' }).click()
  await page.getByRole('meter').first().waitFor()
  t.same(new Set(seen), new Set(['Bearer s3cret-token']))
  const shown = await page.content()
  t.notMatch(shown, /s3cret-token/)
  t.match(shown, /Authorization: Bearer \$TOKEN/)
  t.notMatch(log.join('\n'), /s3cret-token/)
  t.same(await axeProblems(page), [])
})
t.test('the page at /docs', async t => {
  const { url, clock } = await sandbox(t)
  const browser = await openBrowser(t)
  const submitted = await fetch(`${url}/process-prompt`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ PromptContent: `Who? [sim:answer=${encoded('**adele**')}]` }),
  })
  const ids = (await submitted.json()) as Record<string, string>
  clock.advance(20_000)
  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`on a telephone, ${colorScheme}`, async t => {
      const { page, complaints } = await openPage(browser, { ...telephone, colorScheme })
      await page.goto(`${url}/docs`)
      await page.locator('.opblock').first().waitFor()
      t.equal((await brightness(page)) < 80, colorScheme === 'dark')

      await t.test('tries a prompt', async t => {
        const submit = page.locator('#operations-Actions-SubmitPrompt')
        await submit.locator('.opblock-summary-control').click()
        await submit.locator('.execute').click()
        await submit.locator('.live-responses-table').getByText('SIMULATED ANSWER').waitFor()
        t.pass()
      })

      await t.test('reads an answer as HTML', async t => {
        const read = page.locator('#operations-Actions-FetchAnswer')
        await read.locator('.opblock-summary-control').click()
        for (const name of ['sessionId', 'promptId', 'evaluationId'])
          await read.locator(`tr[data-param-name="${name}"] input`).fill(ids[name] ?? '')
        await read.locator('tr[data-param-name="as"] select').selectOption('html')
        await read.locator('.execute').click()
        await read.locator('.live-responses-table').getByText('<strong>adele</strong>').waitFor()
        t.pass()
      })

      await t.test('has no serious problem for who cannot see it', async t => {
        t.same(await axeProblems(page), [])
      })

      await t.test('cannot be scrolled sideways', async t => {
        t.equal(await sideways(page), 0)
      })

      await t.test('asks for credentials in fields that say what they are', async t => {
        await page.locator('.auth-wrapper .authorize').click()
        await page.locator('.auth-container input').first().waitFor()
        t.same(await axeProblems(page), [])
      })
      t.same(complaints, [])
    })
  }
})

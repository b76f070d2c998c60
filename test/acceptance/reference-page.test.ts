import t, { type Test } from 'tap'
import type { Page } from 'playwright-core'
import { openBrowser, openPage, type OpenPage } from '../helpers/browser-pages.ts'
import { sandbox } from '../helpers/sandbox-world.ts'

/** The reference in a real browser, with what it complains of and where it goes. */
async function openReference(t: Test, url: string): Promise<OpenPage> {
  const opened = await openPage(await openBrowser(t), { viewport: { width: 1200, height: 1500 } })
  await opened.page.goto(url)
  await opened.page.locator('.opblock').first().waitFor()
  return opened
}

/**
 * Fills an operation in, sends it, and returns the answer: its body, and the status and text that
 * the page shows.
 */
async function execute(page: Page, id: string, values: Record<string, string>) {
  const operation = page.locator(`#operations-${id}`)
  if (!(await operation.locator('.execute').isVisible()))
    await operation.locator('.opblock-summary-control').click()
  for (const [name, value] of Object.entries(values)) {
    await operation.locator(`tr[data-param-name="${name}"] input`).fill(value)
  }
  const answering = page.waitForResponse(response => !response.url().includes('/docs'))
  await operation.locator('.execute').click()
  const answer = await answering
  // The page shows the headers too, so the answer is known by its request-id.
  const shown = { hasText: answer.headers()['request-id'] ?? '' }
  const live = operation.locator('.live-responses-table .response').filter(shown)
  return {
    body: (await answer.json()) as Record<string, string>,
    status: (await live.locator('.response-col_status').textContent()) ?? '',
    text: (await live.locator('.highlight-code').first().textContent()) ?? '',
  }
}

t.test('the page at /docs', async t => {
  const { url, clock } = await sandbox(t)
  const { page, complaints, hosts } = await openReference(t, `${url}/docs`)

  await t.test('shows every operation', async t => {
    const summaries = await page.locator('.opblock-summary-description').allTextContents()
    t.ok(summaries.includes('Submit a Security Copilot prompt'))
    t.ok(summaries.length >= 10)
  })

  await t.test('submits a prompt and shows the answer', async t => {
    const { status, text } = await execute(page, 'Actions-SubmitPrompt', {})
    t.match(status, /^200/)
    t.match(text, /SIMULATED ANSWER/)
  })

  await t.test('submits a prompt without waiting, and follows it to the answer', async t => {
    const accepted = await execute(page, 'Actions-SubmitPrompt', { Prefer: 'respond-async' })
    t.match(accepted.status, /^202/)
    const { sessionId = '', promptId = '', evaluationId = '' } = accepted.body
    clock.advance(20_000)
    const fetched = await execute(page, 'Actions-FetchPromptStatus', {
      sessionId,
      promptId,
      evaluationId,
    })
    t.match(fetched.status, /^200/)
    t.match(fetched.text, /SIMULATED ANSWER/)
  })

  await t.test('shows no error body at each status, and stays short', async t => {
    const submit = page.locator('#operations-Actions-SubmitPrompt')
    t.equal(await submit.getByText('innerError').count(), 0)
    t.equal(await submit.getByText('Error: IdempotencyKeyReused.').count(), 1)
    const { height } = (await submit.boundingBox()) ?? { height: 0 }
    t.ok(height > 500 && height < 4000, `${height} px`)
  })

  await t.test('hides what is typed in for a token or a secret', async t => {
    await page.locator('.auth-wrapper .authorize').click()
    const shown = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.auth-container input')].map(input =>
        getComputedStyle(input).getPropertyValue('-webkit-text-security'))`,
    )
    t.ok(shown.length > 0)
    t.same(new Set(shown), new Set(['disc']))
  })

  await t.test('fits on a telephone, and is dark where the device is', async t => {
    const telephone = await page
      .context()
      .browser()
      ?.newContext({
        viewport: { width: 390, height: 844 },
        isMobile: true,
        colorScheme: 'dark',
      })
    const small = await telephone?.newPage()
    await small?.goto(`${url}/docs`)
    await small?.locator('.opblock').first().waitFor()
    const width = await small?.evaluate<number>('innerWidth')
    t.equal(width, 390)
    t.ok(await small?.evaluate<boolean>("document.documentElement.classList.contains('dark-mode')"))
    await telephone?.close()
  })

  t.same(complaints, [])
  t.same([...hosts], [new URL(url).host])
})

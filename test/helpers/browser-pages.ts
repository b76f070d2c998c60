import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Chromium, closed when the test ends. */
export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

/** A page, with what it complains of and the hosts that it asks. */
export interface OpenPage {
  readonly page: Page
  readonly complaints: string[]
  readonly hosts: Set<string>
}

/** A page of its own, in a window of its own kind. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const page = await (await browser.newContext(options)).newPage()
  const complaints: string[] = []
  const hosts = new Set<string>()
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', error => complaints.push(error.message))
  page.on('request', request => {
    if (!request.url().startsWith('data:')) hosts.add(new URL(request.url()).host)
  })
  return { page, complaints, hosts }
}

/** A telephone's window. */
export const telephone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
}

/** Whether the page can be scrolled sideways, in CSS pixels beyond the window. */
export const sideways = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')

/** The brightness of the page's background, from 0, black, to 255. */
export const brightness = (page: Page): Promise<number> =>
  page.evaluate<number>(`(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)
    return Math.round((r + g + b) / 3)
  })()`)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds of serious or critical impact: the rule, and where. */
export async function axeProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const violations = await page.evaluate<
    { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[]
  >('axe.run().then(({ violations }) => violations)')
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    )
}

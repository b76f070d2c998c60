import { ConnectorError } from '../errors.ts'
import type { AnswerFormat } from './answer.ts'
import { escapeHtml } from './escape-html.ts'
import { findJson, wholeJson } from './find-json.ts'
import { markdownToHtml } from './markdown.ts'
import { plainText } from './plain-text.ts'
import { sanitize } from './sanitize.ts'
import { showTargets } from './shown-targets.ts'
import { markupOf } from './whole-html.ts'

/** An object or a list in JSON: it is not read as Markdown, which would eat its stars. */
function isRecord(answer: string): boolean {
  return /^\s*[{[]/.test(answer) && wholeJson(answer) !== undefined
}

function toHtml(answer: string): string {
  if (isRecord(answer)) return sanitize(`<pre><code>${escapeHtml(answer.trim())}</code></pre>`)
  const { text, isHtml } = markupOf(answer)
  return sanitize(isHtml ? text : markdownToHtml(text)).trim()
}

/**
 * The text of an answer in another form: an HTML fragment, plain text, or the JSON that stands in
 * it, as it stands there. It takes as long as the answer wants: `answer.ts` says where it runs.
 * @throws ConnectorError `AnswerNotJson`
 */
export function convert(answer: string, format: AnswerFormat): string {
  if (format === 'html') return showTargets(toHtml(answer))
  if (format === 'text') return isRecord(answer) ? answer.trim() : plainText(toHtml(answer))
  const found = findJson(answer)
  if (found !== undefined) return found.text
  const message = 'Cannot read the answer as JSON: no JSON stands in it'
  throw new ConnectorError('AnswerNotJson', message)
}

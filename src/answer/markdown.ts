import MarkdownIt from 'markdown-it'
import { allowedTags, blocks } from './allowed-html.ts'
import { escapeHtml } from './escape-html.ts'

/**
 * GitHub's Markdown: tables, strikethrough and fences are the library's, task lists ours. Every
 * line break counts. Addresses that are only named are not made links: they may be an attacker's.
 */
const markdown = new MarkdownIt({ html: true, breaks: true, linkify: false })

// Four blanks are more often an AI's sloppy list, or HTML, than code.
markdown.disable('code')

// Which links may stay is decided once, in sanitize().
markdown.validateLink = () => true

const known = new Set([...allowedTags, ...blocks, 'img', 'strike', 'tt', 'font'])

/**
 * HTML in Markdown: what is known is left for sanitize(), anything else is shown as it was written.
 * It is more often a placeholder ("<hostname>") or a finding ("<script>") than markup.
 */
function shownUnlessKnown(html: string): string {
  const name = /^\s*<\/?([a-z][a-z0-9]*)(?=[\s/>])/i.exec(html)?.[1]
  if (name !== undefined && known.has(name.toLowerCase())) return html
  if (/^\s*<!--.*-->\s*$/s.test(html)) return ''
  return escapeHtml(html)
}

markdown.renderer.rules['html_inline'] = (tokens, index) =>
  shownUnlessKnown(tokens[index]?.content ?? '')
markdown.renderer.rules['html_block'] = (tokens, index) => {
  const html = tokens[index]?.content ?? ''
  const shown = shownUnlessKnown(html)
  return shown === html || shown === ''
    ? shown
    : `<p>${shown.trim().replaceAll('\n', '<br>')}</p>\n`
}

/** A task's box as a character: an `<input>` is not shown in mail. */
markdown.core.ruler.push('task-list', ({ tokens }) => {
  for (const [index, { type, children }] of tokens.entries()) {
    if (type !== 'inline' || tokens[index - 2]?.type !== 'list_item_open') continue
    const first = children?.[0]
    const box = /^\[([ xX])\](?=\s)/.exec(first?.content ?? '')
    if (first?.type !== 'text' || box === null) continue
    first.content = `${box[1] === ' ' ? '☐' : '☑'}${first.content.slice(3)}`
  }
})

/** The HTML of a Markdown text; not sanitised. */
export function markdownToHtml(text: string): string {
  return markdown.render(text)
}

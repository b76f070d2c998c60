/** What starts an answer that is HTML as a whole: a document, or an element that is a block. */
const firstTag =
  /^<(?:!doctype|html|head|body|style|h[1-6]|p|div|table|[uod]l|section|article|header|main|pre|blockquote|center)[\s/>]/i

const document = /^<(?:!doctype|html)[\s>]/i

/** What stands in a fence around the whole answer, and what the fence says it is. */
interface Fenced {
  readonly language: string
  readonly inside: string
}

/** The one fence that holds everything but white space. */
function wholeFence(answer: string): Fenced | undefined {
  const fence = answer.startsWith('```') ? '```' : answer.startsWith('~~~') ? '~~~' : undefined
  const end = answer.indexOf('\n')
  const last = answer.lastIndexOf('\n')
  if (fence === undefined || last <= end) return undefined
  const closes = answer.slice(last + 1).trim()
  const marks = answer.slice(0, end).trim()
  const language = marks.replace(/^(?:`{3,}|~{3,})/, '').trim()
  if (closes !== marks.slice(0, marks.length - language.length).trim()) return undefined
  const inside = answer.slice(end + 1, last)
  // A second fence inside: the first and the last line belong to two different ones.
  if (inside.startsWith(fence) || inside.includes(`\n${fence}`)) return undefined
  return { language: language.toLowerCase(), inside }
}

/** An answer, and whether it is HTML already. */
export interface Markup {
  readonly text: string
  readonly isHtml: boolean
}

/**
 * Tells an answer that is HTML as a whole from Markdown. A fence around a whole answer in HTML or
 * Markdown is taken off: who asks an AI for HTML often receives it that way. Linear time.
 */
export function markupOf(answer: string): Markup {
  const text = answer.trim()
  const fenced = wholeFence(text)
  if (fenced !== undefined) {
    const inside = fenced.inside.trim()
    if (/^(?:x?html?)$/.test(fenced.language)) return { text: inside, isHtml: true }
    if (fenced.language === '' && document.test(inside)) return { text: inside, isHtml: true }
    if (/^(?:md|markdown)$/.test(fenced.language)) return { text: fenced.inside, isHtml: false }
  }
  const isHtml = document.test(text) || (text.endsWith('>') && firstTag.test(text))
  return { text: isHtml ? text : answer, isHtml }
}

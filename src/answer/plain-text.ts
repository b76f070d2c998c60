import { Parser } from 'htmlparser2'

/** Line breaks before and after an element: 2 leave an empty line. */
const gaps = new Map([
  ...'blockquote div dl h1 h2 h3 h4 h5 h6 hr ol p pre table ul'
    .split(' ')
    .map(tag => [tag, 2] as const),
  ...'caption dd dt li tr'.split(' ').map(tag => [tag, 1] as const),
])

/** Blanks and line breaks outside of code count as one blank. */
const blanks = /[ \t\n\r\f]+/g

/** An address as one says it. */
function spoken(address: string): string {
  return address.replace(/^(?:mailto:|https?:\/\/)/, '').replace(/\/$/, '')
}

/**
 * The readable text of sanitised HTML: no markup, a paragraph a block, "- " or its number before
 * an item of a list, " | " between cells, a link as "text (address)", code as it is.
 */
export function plainText(html: string): string {
  const pieces: string[] = []
  /** Line breaks due before the next text: none, one, or two for an empty line between. */
  let due = 0
  let atLineStart = true
  let bullet = ''
  let code = 0
  let tables = 0
  let cells = 0
  let isFirstCell = true
  const lists: { next: number | undefined }[] = []
  const links: { href: string; text: string }[] = []

  const write = (text: string): void => {
    if (due > 0 || pieces.length === 0) {
      if (pieces.length > 0) {
        pieces.push(`${pieces.pop()?.trimEnd() ?? ''}${'\n'.repeat(due)}`)
      }
      const depth = lists.length - (bullet === '' ? 0 : 1)
      if (code === 0) pieces.push('  '.repeat(Math.max(0, depth)))
      due = 0
    }
    pieces.push(bullet + text)
    bullet = ''
    atLineStart = false
    const link = links.at(-1)
    if (link !== undefined) link.text += text
  }
  const writeText = (text: string): void => {
    if (code > 0 && cells === 0) return write(text)
    // Blanks between the cells of a row, and the rows of a table.
    if (cells === 0 && tables > 0 && text.trim() === '') return
    const short = text.replace(blanks, ' ')
    const isBlankBefore = atLineStart || (pieces.at(-1)?.endsWith(' ') ?? true)
    const rest = isBlankBefore && short.startsWith(' ') ? short.slice(1) : short
    if (rest !== '') write(rest)
  }

  const breakLine = (count: number): void => {
    if (count === 0) return
    // A cell is one line, an item of a list follows the other.
    if (cells > 0) writeText(' ')
    else {
      due = Math.max(due, lists.length > 0 ? 1 : count)
      atLineStart = true
    }
  }
  const open = (name: string, { href, start }: Record<string, string>): void => {
    breakLine(gaps.get(name) ?? 0)
    if (name === 'ul') lists.push({ next: undefined })
    else if (name === 'ol') lists.push({ next: Number(start ?? 1) })
    else if (name === 'li') {
      const list = lists.at(-1)
      bullet = list?.next === undefined ? '- ' : `${list.next++}. `
    } else if (name === 'br' && cells === 0) {
      if (code > 0) write('\n')
      else breakLine(Math.min(2, due + 1))
    } else if (name === 'br') breakLine(1)
    else if (name === 'table') tables += 1
    else if (name === 'tr') isFirstCell = true
    else if (name === 'td' || name === 'th') {
      if (isFirstCell) write('')
      else pieces.push(`${pieces.pop()?.trimEnd() ?? ''} | `)
      atLineStart = true
      isFirstCell = false
      cells += 1
    } else if (name === 'pre') code += 1
    else if (name === 'a' && href !== undefined) links.push({ href, text: '' })
  }
  const close = (name: string): void => {
    if (name === 'ul' || name === 'ol') lists.pop()
    else if (name === 'table') tables -= 1
    else if (name === 'td' || name === 'th') cells -= 1
    else if (name === 'pre') code -= 1
    else if (name === 'a') {
      const link = links.pop()
      if (link !== undefined && spoken(link.text.trim()) !== spoken(link.href))
        write(` (${link.href})`)
    }
    breakLine(gaps.get(name) ?? 0)
  }
  new Parser({ onopentag: open, ontext: writeText, onclosetag: close }).end(html)
  return pieces.join('').trimEnd()
}

import { setImmediate as turn } from 'node:timers/promises'
import { createConversionThread } from './conversion-thread.ts'
import { escapeHtml } from './escape-html.ts'

/** The forms an answer can be asked for. */
export type AnswerFormat = 'html' | 'text' | 'json'

/** An answer in the form that was asked for. */
export interface AnswerForm {
  /** The fragment, the text, or the JSON exactly as it stands in the answer; null for no answer. */
  readonly content: string | null
  /**
   * Only of `json`: what the JSON means. It is parsed when it is read, each time: a response is
   * written without it, by putting `content`, which is JSON, in its place.
   */
  readonly value?: unknown
}

/** What converts answers. */
export interface AnswerForms {
  /**
   * An answer in another form. An answer that takes too long or too much memory is not converted:
   * its HTML is all of it in a `<pre>`, its text is itself.
   * @throws ConnectorError `AnswerNotJson` (422), `Overloaded` (503)
   */
  convert(content: string | null, format: AnswerFormat): Promise<AnswerForm>
  /** Ends the thread, if one was started; what still waits fails with `Overloaded`. */
  close(): Promise<void>
}

/** What createAnswerForms() may be given. */
export interface AnswerFormsOptions {
  /**
   * The longest answer, in characters, that is converted in the event loop: a hostile one of 4,096
   * takes up to 40 ms of CPU, measured in November 2026. @default 4096
   */
  readonly inPlaceCharacters?: number
  /** How long one conversion may take in the thread, in real milliseconds. @default 10000 */
  readonly deadlineMs?: number
  /** How many bytes of answers may wait for the thread, two to a character. @default 32 MiB */
  readonly waitingBytes?: number
  /** The heap of the thread, in MiB: 1 MiB of ordinary Markdown needs under 64. @default 96 */
  readonly heapMib?: number
}

/** The most cells of a table that the event loop makes; the library fills up short rows. */
const mostCellsInPlace = 1000

/** Whether no table in a short text, whose rows may be cut short, has more cells than that. */
function hasFewCells(text: string): boolean {
  const lines = text.split('\n')
  const columns = Math.max(...lines.map(line => line.split('|').length))
  return columns === 1 || columns * lines.length <= mostCellsInPlace
}

type Convert = (answer: string, format: AnswerFormat) => string

/** The conversion, with a turn of the event loop after each library: together they take 70 ms. */
async function loaded(): Promise<Convert> {
  await import('./markdown.ts')
  await turn()
  await import('./plain-text.ts')
  await turn()
  await import('./sanitize.ts')
  await turn()
  const { convert } = await import('./convert.ts')
  await turn()
  return convert
}

/** The escaped text in a `<pre>`, made in pieces so that the event loop is never held. */
async function preformatted(answer: string): Promise<string> {
  const pieces: string[] = []
  for (let at = 0; at < answer.length; at += 65_536) {
    pieces.push(escapeHtml(answer.slice(at, at + 65_536)))
    await turn()
  }
  return `<pre>${pieces.join('')}</pre>`
}

function formOf(content: string, format: AnswerFormat): AnswerForm {
  if (format !== 'json') return { content }
  return {
    content,
    get value(): unknown {
      return JSON.parse(content)
    },
  }
}

/**
 * Converts answers to HTML, text and JSON. A short one is converted in place, any other in one
 * thread, which starts when it is first needed: no answer holds the event loop for 100 ms. The
 * libraries are loaded with the first conversion.
 */
export function createAnswerForms({
  inPlaceCharacters = 4096,
  deadlineMs = 10_000,
  waitingBytes = 32 * 1024 * 1024,
  heapMib = 96,
}: AnswerFormsOptions = {}): AnswerForms {
  let convert: Convert | undefined
  const thread = createConversionThread({ deadlineMs, waitingBytes, heapMib })

  return {
    async convert(answer, format) {
      if (answer === null) return { content: null }
      if (answer.length <= inPlaceCharacters && hasFewCells(answer)) {
        convert ??= await loaded()
        return formOf(convert(answer, format), format)
      }
      const content = await thread.convert(answer, format)
      if (content !== undefined) return formOf(content, format)
      return { content: format === 'html' ? await preformatted(answer) : answer }
    },
    close: () => thread.close(),
  }
}

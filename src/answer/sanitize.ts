import sanitizeHtml from 'sanitize-html'
import {
  allowedAttributes,
  allowedSchemes,
  allowedTags,
  blocks,
  droppedWhole,
  linkRelation,
} from './allowed-html.ts'
import { linkTarget } from './link-target.ts'

type Attributes = Record<string, string>

const alignment = /(?:^|;)\s*text-align\s*:\s*(left|right|center)\s*(?:;|$)/i
const smallNumber = /^[1-9]\d{0,2}$/

/** The attributes of a cell; its alignment also from a style, which Markdown tables have. */
function cell({ align, style, colspan, rowspan }: Attributes): Attributes {
  const side = (align ?? alignment.exec(style ?? '')?.[1])?.toLowerCase()
  return {
    ...(side !== undefined && /^(?:left|right|center)$/.test(side) && { align: side }),
    ...(colspan !== undefined && smallNumber.test(colspan) && { colspan }),
    ...(rowspan !== undefined && smallNumber.test(rowspan) && { rowspan }),
  }
}

function link({ href }: Attributes): Attributes {
  const target = linkTarget(href ?? '')
  return target === undefined ? {} : { href: target, rel: linkRelation }
}

/** An element as it may leave: written anew from what is known to be good. */
function renew(name: string, given: Attributes): sanitizeHtml.Tag {
  const direction = given['dir']?.toLowerCase()
  const attribs: Attributes = {
    ...(direction !== undefined && /^(?:ltr|rtl|auto)$/.test(direction) && { dir: direction }),
    ...(name === 'a' && link(given)),
    ...((name === 'td' || name === 'th') && cell(given)),
    ...(name === 'ol' && /^\d{1,9}$/.test(given['start'] ?? '') && { start: given['start'] ?? '' }),
  }
  // A link that leads nowhere is text.
  return { tagName: name === 'a' && !('href' in attribs) ? 'span' : name, attribs }
}

const options: sanitizeHtml.IOptions = {
  allowedTags: [...allowedTags],
  allowedAttributes: Object.fromEntries(
    Object.entries(allowedAttributes).map(([tag, names]) => [tag, [...names]]),
  ),
  allowedSchemes: [...allowedSchemes],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
  nonTextTags: [...droppedWhole],
  // Deeper ones are taken out and their text kept: readers walk the tree by recursion.
  nestingLimit: 100,
  parseStyleAttributes: false,
  transformTags: {
    ...Object.fromEntries(blocks.map(name => [name, 'div'])),
    strike: 's',
    tt: 'code',
    // An image is not loaded from elsewhere: its alternative text stands for it. Not in an element
    // that is taken out: the library would then drop the text that follows.
    img: (_tagName, { alt }) => ({ tagName: 'span', attribs: {}, text: alt ?? '' }),
    '*': renew,
  },
  // The overrides of direction make a text read as another one, an address too.
  textFilter: text => text.replace(/[\u202d\u202e]/g, ''),
}

/**
 * An HTML fragment of allowed elements, attributes and schemes only (`allowed-html.ts`). Sanitising
 * it once more changes nothing.
 */
export function sanitize(html: string): string {
  // Renaming and taking out changes which element ends which: the second reading puts that right.
  return sanitizeHtml(sanitizeHtml(html, options), options)
}
